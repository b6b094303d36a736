/* pjproject as Deskbell needs it; every number with its reason. */
#define PJSUA_MAX_CALLS             32  /* 16 sessions, each possibly beside one that is just ending */
#define PJSUA_MAX_ACC               32  /* default 8; a box may hold an account per agent */
#define PJ_IOQUEUE_MAX_HANDLES      256 /* RTP and RTCP of 32 calls, SIP, room for TCP */
#define PJ_HAS_IPV6                 1
#define PJMEDIA_HAS_VIDEO           0
#define PJMEDIA_HAS_L16_CODEC       0
#define PJMEDIA_HAS_GSM_CODEC       0
#define PJMEDIA_HAS_SPEEX_CODEC     0
#define PJMEDIA_HAS_G722_CODEC      1
#define PJSUA_HAS_VIDEO             0
#define PJMEDIA_RTP_NAT_PROBATION_CNT 5
#define PJ_HAS_ERROR_STRING         1
