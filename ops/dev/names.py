"""Names of people and companies, all made up, awkward ones among them. Pure.

The awkward ones are what real lists hold: apostrophes, hyphens, one-word names, other
scripts and directions, emoji, very long ones, and text that looks like markup or SQL.
"""

from __future__ import annotations

import random
from typing import NamedTuple


class Name(NamedTuple):
    """A person's name; `last` is empty for a one-word name."""

    first: str
    last: str

    @property
    def full(self) -> str:
        """Both parts, without a blank for a missing one."""
        return f"{self.first} {self.last}".strip()


AWKWARD = (
    Name("Siobhán", "O'Brien-Łukasz"),
    Name("李小龙", ""),
    Name("Ng", ""),
    Name("Wu", "Bo"),
    Name("Zoë 🎉", "Björk"),
    Name("محمد", "عبد الرحمن"),
    Name("שרה", "בן־ארי"),
    Name("Wilhelmina-Alexandrina-Bernadette", "Featherstonehaugh-Montgome"),
    Name("Anne-Marie-Louise", "de la Tour d'Auvergne et de Saint-Pierre"),
    Name("Null", "Nullson"),
    Name("<b>Bob</b>", "& Sons"),
    Name("Robert'); DROP TABLE tickets;--", "Tables"),
    Name("=SUM(A1)", "+1 416"),
    Name("Þórdís", "Ægisdóttir"),
    Name("Nguyễn Thị", "Ánh"),
    Name("Jean Luc", "Saint-Onge Lévesque"),
    Name("X Æ", "Ⅻ"),
    Name("mcDonald", "VAN DER Berg"),
    Name("Ekaterina", "Щукина"),
    Name("ஆதி", "கணேசன்"),
)


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words("""
Ada Aisha Akira Alejandra Amara Amélie Anders Anjali Ayaan Beatriz Benoît Bilal
Camille Carlos Chidi Chloé Dana Darius Deepa Dmitri Elena Elias Emeka Esra Étienne
Farah Fatima Felix Florence Gabriel Giulia Grace Hana Hassan Hugo Ibrahim Ines Isaac
Ivy Jamal Jana Javier Jin Joana Jonas Julie Kai Kavya Keiko Kofi Laila Léa Leo Lin
Lucía Luc Maja Malik Marta Mateo Maxime Mei Mia Mina Mohammed Nadia Naomi Nia Noah
Nora Olga Omar Owen Paula Priya Quinn Rafael Rania Ravi Rosa Sami Sana Sara Sean Sofia
Soren Tala Tariq Thandi Theo Tomás Uma Valérie Victor Wanjiru Xiu Yara Yuki Yusuf
Zainab Zara
""")

_LAST = _words("""
Abbott Adeyemi Ahmed Almeida Andersson Arsenault Bakshi Bélanger Bergeron Bianchi
Boateng Bouchard Campbell Castillo Chaudhry Chen Clarke Cormier Costa Côté Dhillon
Diallo Dubois Eriksen Fernandes Fitzgerald Fortin Fraser Gagnon García Gill Girard
Grant Gupta Haddad Hall Hassan Hernández Huang Hussein Ito Jackson Jansen Johansson
Kaur Kelly Khan Kim King Kowalski Lam Lapointe Leblanc Lee Leung Lévesque Lopes
MacDonald Mahmoud Malik Martin Mbeki Mehta Mensah Morin Murphy Nakamura Nguyen Nielsen
Novak Nowak O'Connor O'Neill Okafor Ouellet Park Patel Pelletier Pereira Petrov
Popescu Qureshi Rahman Reid Rossi Roy Saito Sandhu Santos Schmidt Sharma Silva Singh
Smith Stewart Tanaka Thompson Tremblay Usman Vargas Wang White Wilson Wong Yamamoto
Yilmaz Young Zhang Zhou
""")

_FIRM = _words("""
Northwind Lakeshore Maple Harbour Granite Birch Cedar Humber Ontario Rouge Trillium
Beaver Aurora Polar Summit Cascade Prairie Laurel Juniper Onyx Cobalt Copper Amber
Blue Red Silver Quiet Bright Steady Open Common Second Third Northern Eastern
""")
_TRADE = _words("""
Analytics Logistics Robotics Systems Software Health Foods Media Energy Mobility
Learning Finance Design Materials Networks Labs Works Partners Studio Security
""")
_JOBS = (
    "Engineer",
    "Product manager",
    "Designer",
    "Data analyst",
    "Founder",
    "Operations lead",
    "Directrice technique",
    "Consultant",
    "Student",
    "Researcher",
    "Architect",
    "Head of events",
)


def person(rng: random.Random) -> Name:
    """A common name of this city."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    if rng.random() < 0.06:
        last = f"{last}-{rng.choice(_LAST)}"
    return Name(first, last)


def companies(rng: random.Random, count: int) -> list[str]:
    """Distinct company names, at most as many as there are combinations."""
    every = [f"{firm} {trade}" for firm in _FIRM for trade in _TRADE]
    return rng.sample(every, count)


def job(rng: random.Random) -> str:
    """What somebody does."""
    return rng.choice(_JOBS)
