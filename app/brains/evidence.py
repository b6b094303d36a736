"""What speaks for an intent and for none of them, in numbers, and what each number counts. matching.py finds them."""

from __future__ import annotations

from dataclasses import dataclass

from app.brains.intents import Intent, Kind

# The topic of everything that has none.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sides:
    """One intent against one text, each 0 to 1."""

    sound: float
    asked: float
    explained: float
    about: float
    echoed: float

    def numbers(self) -> dict[str, float]:
        return {"sound": self.sound, "asked": self.asked, "explained": self.explained, "about": self.about,
                "echoed": self.echoed}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """One intent against both texts of an utterance."""

    intent: Intent
    own: Sides
    general: Sides

    def features(self) -> tuple[float, ...]:
        """What `Weights` weighs, in its order. Sides that are missing here added nothing on the tuning set."""
        own, general = self.own, self.general
        person = self.intent.kind is Kind.PERSON
        return (
            own.sound,
            own.asked,
            general.asked,
            general.explained,
            max(own.explained, general.explained),
            float(person),
            person * own.asked,
            float(self.intent.kind is Kind.ACT),
            own.about,
            general.about,
            own.echoed,
            general.echoed,
        )


@dataclass(frozen=True, slots=True)
class Strangeness:
    """What speaks for none of the intents: how little the two texts have in common, `Heard.off_topic`, how much of the
    stranger of the two is about nothing of offices, and how much each sounds like what people say about other things.
    """

    disagreement: float
    off_topic: float
    about: float
    own_echoed: float
    general_echoed: float

    def features(self) -> tuple[float, ...]:
        """What `Weights` weighs, in its order."""
        return (1.0, self.disagreement, self.off_topic, self.about, self.own_echoed, self.general_echoed)


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each of `Evidence.features` counts for an intent, and of `Strangeness.features` for none of them."""

    intent: tuple[float, ...]
    none: tuple[float, ...]


WEIGHTS = Weights(
    intent=(0.6, 0.4, 0.8, 1.6, 3.4, -1.3, 3.3, -1.6, 1.9, 2.1, 4.8, 4.4),
    none=(2.6, -2.1, 3.3, 0.7, 7.3, 5.1),
)
