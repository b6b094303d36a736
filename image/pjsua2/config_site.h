/* pjproject as Deskbell needs it; every number with its reason. */

#define PJSUA_MAX_CALLS             32  /* 16 sessions, each possibly beside one that is just ending */
#define PJSUA_MAX_ACC               32  /* default 8; a box may hold an account per agent */
#define PJ_IOQUEUE_MAX_HANDLES      256 /* RTP and RTCP of 32 calls, SIP, room for TCP; default 64 */
#define PJ_HAS_IPV6                 1

/* Level 4 and 5 print whole SIP packets, with callers' numbers and Authorization headers. What is not compiled in
 * cannot leak; it also keeps pj from printing on the terminal before its log settings are read. */
#define PJ_LOG_MAX_LEVEL            3

/* An INVITE with credentials may pass 1300 bytes. On an office network fragments arrive, while many PBXs that were
 * configured for UDP do not listen on TCP at all. */
#define PJSIP_DONT_SWITCH_TO_TCP    1

/* pj scales G.722 for 14 bits (2), everybody else for 15: callers whom the PBX converts came in 6 dB too loud, clipped,
 * and heard the agent 6 dB too soft (pjproject #4419; tests/wire/test_converting.py). */
#define PJMEDIA_G722_DEFAULT_PCM_SHIFT 1

/* Not used, so not there. */
#define PJMEDIA_HAS_VIDEO           0
#define PJMEDIA_HAS_L16_CODEC       0
#define PJMEDIA_HAS_GSM_CODEC       0
#define PJMEDIA_HAS_SPEEX_CODEC     0
