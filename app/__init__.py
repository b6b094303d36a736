"""What the agent does: no hardware, no files, no SIP. Read `conversation.py` first."""
