"""What may be the password of the page, and the passphrase of a backup. Pure; the page and the box ask the same."""

from __future__ import annotations

SHORTEST, LONGEST = 8, 128
# What guessers try first, at this length.
_COMMON = frozenset(
    """
    00000000 11111111 11223344 12341234 12345678 123456789 1234567890 123123123 1q2w3e4r 1qaz2wsx 87654321 88888888
    987654321 abcd1234 abc12345 aa123456 access14 admin123 administrator alexander asdfasdf asdfghjk asdfghjkl baseball
    basketball blink182 butterfly changeme charlie1 chocolate computer corvette danielle deskbell deskbell1 dragon123
    einstein football football1 iloveyou iloveyou1 internet jennifer jonathan letmein1 liverpool master123 mercedes
    michelle midnight monkey123 mustang1 p@ssw0rd pass1234 passw0rd password password1 password12 password123
    princess princess1 q1w2e3r4 qwer1234 qwerty12 qwerty123 qwertyui qwertyuiop raspberry samantha sunshine superman
    superuser starwars telephone trustno1 victoria welcome1 welcome123 whatever zaq12wsx zxcvbnm1
    """.split()
)


def weakness(password: str) -> str:
    """Why this cannot be one; empty if it can."""
    if len(password) < SHORTEST:
        return f"at least {SHORTEST} characters; three or four words make a good one"
    if len(password) > LONGEST:
        return f"at most {LONGEST} characters"
    if password.casefold() in _COMMON:
        return "this is one of the first that anybody would guess; three or four words make a good one"
    return ""
