"""RTP and RTCP packets, receive rings, telephone-event and statistics, without I/O."""
