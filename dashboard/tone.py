"""How good or bad a thing is, as a colour may show it; never by colour alone."""

from typing import Literal

Tone = Literal["good", "bad", "watch", "calm", "gain", "loss", ""]
