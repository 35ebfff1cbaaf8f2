"""What a person runs.

Where to look:

===============  ==================================================================================
one film         ``stylize`` begins and ends it, ``job`` is what was asked, ``publish`` names it;
                 ``inline`` is the plain loop, ``solo`` the same film on Ray
on Ray           ``engine`` starts or joins it; ``studio`` is the one loop, ``floor`` hands and
                 answers, ``production`` one film in work, ``crowd`` and ``stylists`` who works
decisions        ``board``, ``turns``, ``shares``, ``budget``, ``workload``, ``demand``,
                 ``stragglers``, ``fate``: without Ray, most without a clock
what is kept     ``ledger`` on a ``stores`` folder or an ``object_store``; ``lease``, ``log``
a batch          ``jobfile*`` and ``orders`` read it, ``batch*`` carry it, ``billed`` is one film
from elsewhere   ``submit``, ``attempts``, ``head``, ``follow``, ``control``, ``watch``
to be seen       ``standing``, ``standings``, ``show``, ``gauges``, ``dashboard``, ``costs``,
                 ``report*``
a cluster        ``doctor``, ``diagnosis``, ``nodes``, ``proof``
measured         ``bench*`` are commands; ``soak``, ``recover``, ``resume``, ``scan``, ``schedule``,
                 ``fair``, ``matrix``, ``sweep``, ``fuzz`` and others what they run
===============  ==================================================================================

Modules that end in ``_cli`` are commands: options and help texts.
"""
