"""Words that mean much the same when somebody phones an office.

An owner lists a handful of questions; callers use other words for them. These groups connect the two, for any kind of
office. A word may stand in several groups. Entries of more than one word are matched whole.
"""

from __future__ import annotations

import functools

from app.brains.words import stem, words

_LONGEST = 3  # words in an entry

_TABLE = """
place: address | where | located | location | street | whereabouts | place | situated | direction | directions | map
    | based | city | town | building | office | find you | get to
parking: park | parking | garage | parking lot | parking space | parking spot | car park
car: car | drive | driving | vehicle | motorbike | by car
transit: bus | tram | train | station | stop | metro | subway | underground | public transport | transport | line |
    railway | streetcar
travel: get there | get to | reach you | reach | travel | come by | way | route
appointment: appointment | visit | booking | reservation | slot | session | consultation | meeting | date |
    available | availability | see the | opening
booking: book | make | schedule | arrange | reserve | set up | fix | plan | get an
cancelling: cancel | move | change | postpone | reschedule | shift | delay | call off | can not come | can not make
    | other day | another day | another time | later | earlier | sick | ill | unable | prevented | miss
price: price | cost | how much | expensive | cheap | charge | fee | rate | pay for | tariff | quote | estimate |
    amount
paying: pay | money | payment | paying | card | credit card | debit card | cash | cheque | check | transfer | bill |
    invoice | visa | mastercard | instalment | bank
bill: bill | invoice | receipt | billing | accounting | account | statement | bookkeeping | reminder
insurance: insurance | insurer | insured | cover | covered | coverage | policy | plan | health insurance | reimburse
emergency: emergency | urgent | urgently | accident | immediately | right away | at once | help me | acute
pain: pain | hurt | hurting | ache | aching | painful | swollen | sore | bleeding | bleed | tooth ache
broken: broken | broke | break | came off | fell out | lost | damaged | cracked | crack | loose | knocked | chipped
night: night | weekend | evening | holiday | sunday | saturday | after hours
new customer: new | first time | never been | register | registration | sign up | enrol | join | accept | become
customer: patient | customer | client | guest | member | people
children: child | children | kid | kids | daughter | son | boy | girl | baby | toddler | teenager | year old | years
    old | family | age
papers: record | records | file | files | document | documents | paper | papers | report | result | results | copy |
    certificate | history
picture: picture | pictures | photo | photos | image | images | x ray | x rays | scan
sending: send | sent | forward | mail | post | pass on | transfer | ship
access: elevator | lift | stair | stairs | step | steps | ramp | wheelchair | accessible | access | disabled |
    handicapped | barrier | walker | crutches | climb | floor
mail: e mail | mail | email | write
web: website | web | site | internet | online | homepage | page | net
hours: hour | hours | open | opening | close | closed | closing | what time | until when | how late | how early |
    lunch | from when | business hours | weekend | monday | tuesday | wednesday | thursday | friday | saturday |
    sunday | how long
talking: speak | talk | word with | put through | through to | connect | transfer | on the phone | reach | is there
    | available
someone: someone | somebody | person | human | anybody | anyone | colleague | staff | receptionist | operator | real
    | people | agent | assistant | employee
message: message | note | tell | let know | pass on | leave word | write down
calling back: call back | ring back | phone back | back | return
repeating: repeat | again | once more | pardon | say that | not hear | not catch | not understand | one more | what
    was | excuse
parting: bye | good bye | goodbye | that is all | that was all | nothing else | thank you | thanks | nice day | have
    a | everything
delivery: deliver | delivery | shipping | ship | parcel | package | arrive | courier
order: order | buy | purchase | product | item | article
return: return | refund | exchange | complaint | complain | warranty | guarantee
repair: repair | fix | service | maintenance | mend
job: job | apply | application | vacancy | hiring | career | position | work
doctor: doctor | dentist | physician | surgeon | specialist
tooth: tooth | teeth | dental | jaw | gum | mouth
treat: treat | treatment | look at | examine | see | therapy | work
check up: check up | checkup | examination | examine | check
bring: bring | need to bring | carry | come with
"""


_GROUPS: dict[str, tuple[str, ...]] = {
    name: tuple(" ".join(members.split()).split(" | "))
    for name, _, members in (group.partition(": ") for group in _TABLE.strip().replace("\n    ", " ").splitlines())
}


@functools.cache
def _groups_of() -> dict[tuple[str, ...], frozenset[str]]:
    """Every word, or words, of the groups, as stems, and the groups that they stand in."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name, members in _GROUPS.items():
        for member in members:
            found.setdefault(tuple(map(stem, words(member))), set()).add(name)
    return {member: frozenset(names) for member, names in found.items()}


@functools.lru_cache(maxsize=4096)
def meanings(heard: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """For each of the stems `heard`, the groups that it touches, alone or together with its neighbours."""
    groups = _groups_of()
    touched: list[frozenset[str]] = [frozenset()] * len(heard)
    for length in range(1, min(_LONGEST, len(heard)) + 1):
        for start in range(len(heard) - length + 1):
            names = groups.get(heard[start : start + length], frozenset())
            for place in range(start, start + length):
                touched[place] |= names
    return tuple(touched)


def synonyms(word: str) -> frozenset[str]:
    """The other single words of the groups that `word` stands in, for the recogniser's language model."""
    alike = (members for members in _GROUPS.values() if word in members)
    return frozenset(other for members in alike for other in members if " " not in other and other != word)
