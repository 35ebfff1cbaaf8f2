"""The steps from film to painted film: plain functions and types.

Nothing in this package knows Ray, prints, logs, or keeps global state. What runs the steps lives in
``actors``; what a person starts lives in ``jobs``. ``torch`` is imported by ``paint`` and
``judge`` alone, and only when they are used; painting a key on a CPU does without.

Conventions, stated once for every module below:

Frames
    Counted in presentation order from 0. Every range is half-open, ``[start, stop)``.
Time
    Integer ``pts`` and a ``Fraction`` time base (seconds per tick). No float seconds.
Planes
    Arrays ``[H, W]`` in the film's own range, upright as a viewer sees them: luma at full size, the
    two colour differences at the size that the pixel format gives them. ``uint8`` up to 8 bits,
    above that ``uint16`` with codes of ``depth`` bits; thresholds are in codes of 8 bits. Motion,
    cuts and losses are measured on luma rounded to 8 bits. RGB films come as Y'CbCr 4:4:4 of two
    bits more (``media.samples``), which is exact. Alpha is carried past everything, straight
    (unpremultiplied) alpha being assumed: what is transparent is painted like the rest.
RGB
    ``float32``, 0 to 1, non-linear (display-referred), ``[H, W, 3]`` for OpenCV and NumPy and
    ``[N, 3, H, W]`` for the net. Of an HDR film it is its view for an ordinary screen
    (``media.hdr``).
Flow
    ``float32 [h, w, 2]`` = (dx, dy) in pixels of its own grid, x right, y down (OpenCV's order).
    ``flow(t, u)`` says where a pixel of frame t is found in frame u: ``W(u)[p] = u[p + flow[p]]``
    (backward warp).
Pixel centres
    A picture of width w has its centres at 0.5, 1.5, ... w - 0.5 in units of its own pixels, so
    grids of different size map by ``(x + 0.5) * scale - 0.5`` (OpenCV's and torch's
    ``align_corners=False``).
Masks and confidence
    A boolean mask is True where the statement in its name holds. Confidence is ``float32 [h, w]``,
    0 (not explained) to 1.
Keyframe
    A frame that the net paints. A codec's random-access frame is a *sync frame*.
"""
