"""The words and shares the gym is made of."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MEMBER_TYPES = (("Monthly", 46), ("Annual", 22), ("Student", 16), ("Punch Card", 10), ("Day Pass", 6))
MEMBER_STATUSES = ("Active", "Frozen", "Inactive", "Cancelled")
ADDRESS_STATUSES = ("Current", "Former", "Mailing")
ROUTE_COLORS = ("Red", "Orange", "Yellow", "Green", "Blue", "Purple", "Pink", "Black", "White", "Teal")
GENDERS = (("Female", 47), ("Male", 49), ("Non-binary", 3), ("Undisclosed", 1))
GRADES = (
    *(f"5.{number}" for number in range(2, 10)),
    *(f"5.{number}{letter}" for number in range(10, 14) for letter in "abcd"),
)
EMAIL_DOMAINS = ("example.com", "example.net", "example.org")
COUNTRY = "United States"

FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "Female": _words(
        "Ada Aisha Alice Amara Ana Beatriz Camila Carmen Chloe Clara Daniela Elena Elise Emma Esther Fatima Freya "
        "Grace Hana Hannah Ines Isabel Jasmine Julia Kira Laila Lena Leila Lucia Maeve Maria Maya Mei Mia Naomi "
        "Nadia Nina Noor Olivia Paige Priya Quinn Rosa Ruth Sakura Sara Sofia Tessa Uma Vera Wren Ximena Yara Zoe"
    ),
    "Male": _words(
        "Aaron Adam Ahmed Alex Amir Andre Anton Ben Bruno Caleb Carlos Chen Daniel Dario David Diego Eli Emil Ethan "
        "Felix Finn Gabriel George Hassan Henry Hiro Hugo Ivan Jack James Javier Jonas Jules Kai Leo Liam Lucas Marco "
        "Mateo Milo Nate Noah Omar Oscar Pablo Rafael Ravi Sam Theo Tomas Viktor Wei Xavier Yusuf Zane"
    ),
}
LAST_NAMES = _words(
    "Abbott Ahmed Alvarez Andersen Baker Banerjee Bauer Becker Bell Bianchi Brooks Carter Castillo Chen Cohen Costa "
    "Cruz Daley Diaz Dubois Edwards Eriksen Evans Farah Fischer Flores Foster Garcia Gomez Gray Gupta Hall Hansen "
    "Haque Hill Hoang Hughes Ito Ivanov Jackson Jensen Johnson Jones Kelly Khan Kim Klein Kowalski Kumar Larsen Lee "
    "Lewis Lopez Lund Martin Mendoza Meyer Miller Mora Morgan Moretti Murphy Nakamura Nelson Nguyen Novak Oconnor "
    "Okafor Olsen Ortiz Park Patel Perez Petrov Price Ramos Reed Reyes Rivera Roberts Rossi Ruiz Sanders Santos Sato "
    "Schmidt Shah Silva Singh Smith Sokolov Suzuki Tanaka Taylor Thomas Torres Tran Turner Vargas Wagner Walker Wang "
    "Ward Weber White Williams Wilson Wood Wright Yamada Yang Young Zhang Zimmerman"
)
STREETS = _words(
    "Alder Aspen Birch Boulder Canyon Cedar Cherry Cliff College Crestview Dogwood Elm Evergreen Fir Foothill Granite "
    "Grove Hickory Highland Juniper Lake Larch Laurel Lincoln Linden Main Maple Meadow Mesa Mill Oak Orchard Park "
    "Pearl Pine Poplar Prospect Quarry Ridge River Rock Sandstone Spring Spruce Summit Sycamore Talus Union Valley "
    "Walnut Washington Willow"
)
STREET_KINDS = ("St", "Ave", "Rd", "Ln", "Ct", "Dr", "Way")
CITIES = (
    ("Boulder", "CO", 80301, 34),
    ("Louisville", "CO", 80027, 12),
    ("Longmont", "CO", 80501, 14),
    ("Denver", "CO", 80202, 20),
    ("Golden", "CO", 80401, 9),
    ("Fort Collins", "CO", 80521, 6),
    ("Salt Lake City", "UT", 84101, 3),
    ("Laramie", "WY", 82070, 2),
)
