"""Speech servers behind the Wyoming protocol of Home Assistant: a client of our own, on Trio, in the own network."""

from firmware.wyoming.ears import WyomingRecogniser
from firmware.wyoming.looking import look_at
from firmware.wyoming.voice import WyomingSpeaker

__all__ = ["WyomingRecogniser", "WyomingSpeaker", "look_at"]
