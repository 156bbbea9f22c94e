"""The folders that are bots: those that come with Renraku, and those of the operator's own folder."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

import structlog

import bots
from chat_server.bot_api import Bot, Offer

log = structlog.get_logger("renraku.bots")


@dataclass(frozen=True, slots=True)
class Found:
    """`name`: the folder's. `module`: where the class is."""

    name: str
    module: str
    bot: Bot


def shelve(folder: str) -> None:
    """Let `bots.NAME` be found in that folder too. Empty: there is none."""
    if folder and folder not in bots.__path__:
        bots.__path__.append(folder)


def find(folder: str) -> list[Found]:
    """All of them. One that cannot be loaded is named in the log and left out: the server starts without it."""
    shelve(folder)
    found = []
    for module in pkgutil.iter_modules(bots.__path__):
        name = f"bots.{module.name}.bot"
        try:
            found.append(Found(module.name, name, load(name)))
        except Exception as error:
            log.warning("a bot cannot be loaded", bot=module.name, why=f"{type(error).__name__}: {error}")
    return found


def load(module: str) -> Bot:
    """The bot of a folder: the one class of its module that builds on `Bot`. Raises whatever importing it raises, and
    ValueError where there is not one."""
    found = importlib.import_module(module)
    kinds = [
        each
        for each in vars(found).values()
        if isinstance(each, type) and issubclass(each, Bot) and each.__module__ == found.__name__
    ]
    if len(kinds) != 1:
        raise ValueError(f"{module} has {len(kinds)} classes of bots; it must have one")
    bot: Bot = kinds[0]()
    for needed in ("title", "reading"):
        if not isinstance(getattr(bot, needed, None), str):
            raise ValueError(f"{module} does not say its {needed}")
    if not all(isinstance(offer, Offer) for offer in bot.offers):
        raise ValueError(f"{module} offers something that is no Offer")
    return bot
