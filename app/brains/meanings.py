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
    | based | city | town | building | office | find you | get to | directions to | find | premises | zip | postcode
    | house number | near | nearby | close to | which floor | come to | show up | part of town | side of town
    | landmark | corner | area | district | neighborhood | navigation | exact | which building | how far
parking: park | parking | garage | parking lot | parking space | parking spot | car park | parked | space | spaces
    | spots | lot | leave my car | put my car | parking area | parking place | underground parking | leave the car
    | put the car | street parking
car: car | drive | driving | vehicle | motorbike | by car | cars | motorcycle | truck | van | bike | bicycle | wheels
transit: bus | tram | train | station | stop | metro | subway | underground | public transport | transport | line
    | railway | streetcar | buses | trams | trains | railroad | bus stop | bus line | streetcars | trolley
    | which line | get off | commute | how far | the closest | ride the
travel: get there | get to | reach you | reach | travel | come by | way | route | without a car | no car | on foot
    | walk | walking | ride | how do i come | get to you | arriving | not drive | no license | go on from | directions
appointment: appointment | visit | booking | reservation | slot | session | consultation | meeting | date | available
    | availability | see the | opening | come in | come by | be seen | seen | see you | get in | check up | earliest
    | soonest | next week | this week | free time | time slot | openings | spot | opening for | anything free
    | something free | come in for | due for | see me | a date | get a date | drop in | next free
booking: book | make | schedule | arrange | reserve | set up | fix | plan | get an | request | put me down | pencil
    | sign me up | fit me in | squeeze | come in for | get a date | fit us in
cancelling: cancel | move | change | postpone | reschedule | shift | delay | call off | can not come | can not make
    | other day | another day | another time | later | earlier | sick | ill | unable | prevented | miss | canceled
    | cancelled | rearrange | swap | different day | different time | new time | new date | push back | move up
    | bring forward | make it | will not make | not able | something came up | drop | skip | rebook | put off
    | can not be there | be there | until next week | able to come | not be able | off the list | not coming
    | another date | not keep | not make | running late | call it off
price: price | cost | how much | expensive | cheap | charge | fee | rate | pay for | tariff | quote | estimate
    | amount | prices | costs | pricing | price list | dollars | charged | charges | fees | rates | come to
    | set me back | run me | worth | budget | affordable | how much will | how much would | cost of | i have to pay
    | would i pay | price of | total | free of charge | expense
paying: pay | money | payment | paying | card | credit card | debit card | cash | cheque | check | transfer | bill
    | invoice | visa | mastercard | instalment | bank | contactless | apple pay | phone pay | swipe | pay with
    | payment method | payments | installment | instalments | wire | in advance | upfront | afterwards | settle
    | plastic | coins | installments | pay later | pay the bill | bill me | bill at home | money later | which cards
    | cards do
bill: bill | invoice | receipt | billing | accounting | account | statement | bookkeeping | reminder | bills |
    invoices | charged | overcharged | owe | balance | payment reminder
insurance: insurance | insurer | insured | cover | covered | coverage | policy | plan | health insurance | reimburse
    | insurances | insured with | insurance company | provider | reimbursed | refunded | covers | plans | policies
    | private | public | paid by | privately | pays for | who pays | health plan
emergency: emergency | urgent | urgently | accident | immediately | right away | at once | help me | acute | as soon
    | right now | straight away | cannot wait | can not wait | serious | terrible | knocked | need help | help right
    | awful | badly | severe | fell | unbearable
pain: pain | hurt | hurting | ache | aching | painful | swollen | sore | bleeding | bleed | tooth ache | hurts | pains
    | throbbing | throb | killing | agony | suffering | swelling | swell | infection | infected | toothache
broken: broken | broke | break | came off | fell out | lost | damaged | cracked | crack | loose | knocked | chipped |
    chip | cracks | fallen out | came out | fell off | falling | splintered | piece | snapped
night: night | weekend | evening | holiday | sunday | saturday | after hours | nights | weekends | late | midnight |
    evenings | sundays | out of hours | outside | closed | on duty
new customer: new | first time | never been | register | registration | sign up | enrol | join | accept | become
    | taking | take on | taking on | first visit | newcomer | becoming | signed up | sign on | enroll | registered
    | start | switch | changing dentist | been there | never | moved here | just moved | looking for a | as a patient
    | waiting list
customer: patient | customer | client | guest | member | people | patients | customers | clients | guests | members
children: child | children | kid | kids | daughter | son | boy | girl | baby | toddler | teenager | year old
    | years old | family | age | little | little one | youngster | pediatric | minors | toddlers | babies | teenagers
    | year olds | grandson | granddaughter | grandchild | families | school | young | how old | infant | small ones
papers: record | records | file | files | document | documents | paper | papers | report | result | results | copy |
    certificate | history | chart | charts | notes | medical | dental history | paperwork | data | details
picture: picture | pictures | photo | photos | image | images | x ray | x rays | scan | scans | imaging | radiograph |
    films | xray | xrays
sending: send | sent | forward | mail | post | pass on | transfer | ship | sending | sends | forwarded | mailed |
    email me | hand over | give me | transferred | share | over to
access: elevator | lift | stair | stairs | step | steps | ramp | wheelchair | accessible | access | disabled
    | handicapped | barrier | walker | crutches | climb | floor | handicap | disability | mobility | lifts | elevators
    | upstairs | barrier free | ground floor | walking | accessibility | wheelchairs | level | roll | stroller | pram
    | many steps | steps up | get in | get up | get upstairs | blind | cane | entrance
mail: e mail | mail | email | write | e mails | emails | inbox | mail address | electronic | mailing
web: website | web | site | internet | online | homepage | page | net | web page | webpage | on line
    | internet address | web address | sites | on the internet | over the internet | online form | book online
hours: hour | hours | open | opening | close | closed | closing | what time | until when | how late | how early
    | lunch | from when | business hours | weekend | monday | tuesday | wednesday | thursday | friday | saturday
    | sunday | how long | opened | opens | closes | shut | shuts | times | opening times | opening hours
    | office hours | working hours | until | till | noon | lunchtime | morning | afternoon | still open | there until
    | when are | there after | there before | already open | there at | there on
talking: speak | talk | word with | put through | through to | connect | transfer | on the phone | reach | is there |
    available | talk to | speak to | speak with | talking | speaking | get hold | hold of | put me | connect me | pass
    me | hand me | on the line | call for | in today | around | in the office
someone: someone | somebody | person | human | anybody | anyone | colleague | staff | receptionist | operator | real
    | people | agent | assistant | employee | human being | live person | real person | live | actual | team
    | employees | representative | secretary | manager | boss | women | woman | computer | computers | machine | robot
    | works there | who works
message: message | note | tell | let know | pass on | leave word | write down | messages | leave a message | tell her
    | tell him | tell them | inform | pass along | dictate | give her | give him | notify | voicemail
    | leave my number | let him know | let her know | write this
calling back: call back | ring back | phone back | back | return | call me | phone me | ring me | calls me
    | called back | callback | get back | return my call | reach me | can call me | give me a call
repeating: repeat | again | once more | pardon | say that | not hear | not catch | not understand | one more | what
    was | excuse | again please | come again | one more time | missed that | missed | what did | sorry what | did not
    get | not get | hear that | catch that | say again | slower | slowly
parting: bye | good bye | goodbye | that is all | that was all | nothing else | thank you | thanks | nice day | have a
    | everything | see you | cheers | have a good | that is it | that would be | that will be | i am done | all i
    | talk soon | later | no more | no thanks | not now | take care | thank | i am fine | i am good | all for today
    | all set
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
