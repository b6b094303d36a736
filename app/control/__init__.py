"""What may be asked of the box: one model per verb, shared by the phone process, which answers (`firmware/control`),
and whoever asks over its socket (`provisioning/client.py`).

`verbs.VERBS` is the table. An answer is the verb's answer model or a `Refusal`: expected, returned, to be matched.
Secrets go towards the phone process only.
"""
