"""Requests whose right call is known, since they are made from it. Pure, the same for a seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a user asks, and the one call that does it."""

    text: str
    tool: str
    arguments: Mapping[str, Any]


_NAMES = "Ann Ben Clara David Elena Farid Greta Hiro Ines Jonas".split()
_ARTISTS = "Adele|Miles Davis|Nina Simone|Queen|Björk|The Beatles|Johnny Cash|Radiohead".split("|")
_CITIES = "Bern|Oslo|Madrid|New York|Kyoto|Nairobi|Lima|Warsaw|Vienna|Porto".split("|")
_PLACES = "Luigi's|The Golden Lamb|Sakura|Chez Marie|El Toro|Blue Fin".split("|")
_LABELS = "pasta|tea|laundry|bread|nap|eggs".split("|")
_TITLES = "dentist|piano lesson|team meeting|dinner with Ines|parents' evening|haircut".split("|")
_TOPICS = "invoice|flight ticket|rent contract|insurance|recipe|school trip|warranty".split("|")
_GOODS = "milk|bread|apples|rice|butter|tomatoes|coffee|onions|soap|salt".split("|")
_CHORES = "water the plants|call the bank|pay the rent|clean the oven|renew the passport".split("|")
_WORDS = (
    "I am running late|dinner is ready|the meeting is moved to noon|thank you for the book|"
    "please bring an umbrella|the keys are under the mat|happy birthday|see you on Sunday"
).split("|")
_ROOMS = "kitchen bedroom bathroom office hall".split()
_UNITS = (("kilometres", "miles"), ("kilograms", "pounds"), ("litres", "gallons"))


def generated(count: int, *, seed: int) -> list[Request]:
    """Return so many requests, the tools in turn, no two with the same words."""
    random = Random(seed)  # noqa: S311 - a benchmark repeats itself
    makers = list(_MAKERS.items())
    found: dict[str, Request] = {}
    while len(found) < count:
        name, maker = makers[len(found) % len(makers)]
        request = _made(name, maker, random, found)
        found[request.text] = request
    return list(found.values())


def _made(name: str, maker: "_Maker", random: Random, known: Mapping[str, Request]) -> Request:
    for _ in range(1_000):
        text, arguments = maker(random)
        if text not in known:
            return Request(text=text, tool=name, arguments=arguments)
    raise ValueError(f"There are no more requests for {name}: ask for fewer.")


_Maker = Callable[[Random], tuple[str, dict[str, Any]]]


def _set_timer(random: Random) -> tuple[str, dict[str, Any]]:
    minutes = random.choice([2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 40, 45, 50, 90, 120])
    label = random.choice(_LABELS)
    text = random.choice(
        [
            f"Set a timer for {minutes} minutes for the {label}.",
            f"Start a {minutes} minute timer called {label}.",
            f"Please time the {label}: {minutes} minutes.",
            f"I need a timer labelled {label}, {minutes} minutes from now.",
        ]
    )
    return text, {"minutes": minutes, "label": label}


def _moment(random: Random) -> tuple[str, str]:
    day = f"2026-{random.randint(3, 12):02}-{random.randint(1, 28):02}"
    time = f"{random.randint(8, 21):02}:{random.choice(['00', '15', '30', '45'])}"
    return day, time


def _add_event(random: Random) -> tuple[str, dict[str, Any]]:
    title = random.choice(_TITLES)
    day, time = _moment(random)
    text = random.choice(
        [
            f"Put {title} into my calendar on {day} at {time}.",
            f"Add an event: {title}, {day}, {time}.",
            f"I have {title} on {day} at {time}, please note it in the calendar.",
            f"Schedule {title} for {day} at {time}.",
        ]
    )
    return text, {"title": title, "day": day, "time": time}


def _convert_units(random: Random) -> tuple[str, dict[str, Any]]:
    pair = list(random.choice(_UNITS))
    random.shuffle(pair)
    value = random.choice([random.randint(2, 300), random.randint(10, 999) / 10])
    text = random.choice(
        [
            f"How many {pair[1]} are {value} {pair[0]}?",
            f"Convert {value} {pair[0]} to {pair[1]}.",
            f"What is {value} {pair[0]} in {pair[1]}?",
        ]
    )
    return text, {"value": value, "from_unit": pair[0], "to_unit": pair[1]}


def _send_message(random: Random) -> tuple[str, dict[str, Any]]:
    to, words = random.choice(_NAMES), random.choice(_WORDS)
    text = random.choice(
        [
            f"Tell {to}: {words}",
            f'Send a message to {to} saying "{words}".',
            f'Write to {to} "{words}".',
            f'Message {to}: "{words}"',
        ]
    )
    return text, {"to": to, "text": words}


def _search_mail(random: Random) -> tuple[str, dict[str, Any]]:
    query, sender = random.choice(_TOPICS), random.choice(_NAMES)
    text = random.choice(
        [
            f"Find the mail from {sender} about the {query}.",
            f"Search my mail for {query} from {sender}.",
            f"Look in my inbox for what {sender} wrote about the {query}.",
        ]
    )
    return text, {"query": query, "sender": sender}


def _control_light(random: Random) -> tuple[str, dict[str, Any]]:
    room, state = random.choice(_ROOMS), random.choice(["on", "off"])
    text = random.choice(
        [
            f"Turn {state} the light in the {room}.",
            f"Switch the {room} light {state}.",
            f"Lights {state} in the {room}, please.",
            f"Please turn the {room} lamp {state}.",
            f"Can you switch {state} the light of the {room}?",
            f"{room.capitalize()} light {state}.",
        ]
    )
    return text, {"room": room, "state": state}


def _play_music(random: Random) -> tuple[str, dict[str, Any]]:
    artist, shuffle = random.choice(_ARTISTS), random.choice([True, False])
    order = "shuffled" if shuffle else "in order"
    text = random.choice(
        [
            f"Play songs by {artist}, {order}.",
            f"I want to hear {artist} {order}.",
            f"Put on some {artist}, {order} please.",
            f"Play {artist} {order}.",
            f"Music by {artist}, {order}.",
        ]
    )
    return text, {"artist": artist, "shuffle": shuffle}


def _add_to_list(random: Random) -> tuple[str, dict[str, Any]]:
    name, source = random.choice([("shopping", _GOODS), ("todo", _CHORES)])
    items = random.sample(source, random.randint(1, 3))
    told = items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
    text = random.choice(
        [
            f"Add {told} to my {name} list.",
            f"Put {told} on the {name} list.",
            f"My {name} list needs {told}.",
        ]
    )
    return text, {"items": items, "list_name": name}


def _get_weather(random: Random) -> tuple[str, dict[str, Any]]:
    city, day = random.choice(_CITIES), random.choice(["today", "tomorrow"])
    text = random.choice(
        [
            f"What is the weather in {city} {day}?",
            f"Will it rain in {city} {day}?",
            f"How warm is it in {city} {day}?",
            f"Weather for {city}, {day}.",
        ]
    )
    return text, {"city": city, "day": day}


def _book_table(random: Random) -> tuple[str, dict[str, Any]]:
    restaurant, people = random.choice(_PLACES), random.randint(2, 9)
    day, time = _moment(random)
    text = random.choice(
        [
            f"Book a table for {people} at {restaurant} on {day} at {time}.",
            f"Reserve at {restaurant}: {people} people, {day}, {time}.",
            f"We are {people} and want to eat at {restaurant} on {day} at {time}, get us a table.",
        ]
    )
    when = {"day": day, "time": time}
    return text, {"restaurant": restaurant, "people": people, "when": when}


_MAKERS: dict[str, _Maker] = {
    "set_timer": _set_timer,
    "add_event": _add_event,
    "convert_units": _convert_units,
    "send_message": _send_message,
    "search_mail": _search_mail,
    "control_light": _control_light,
    "play_music": _play_music,
    "add_to_list": _add_to_list,
    "get_weather": _get_weather,
    "book_table": _book_table,
}
