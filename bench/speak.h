/* What a client says, and what it does with the bytes that it gets. */
#ifndef SPEAK_H
#define SPEAK_H

#include "client.h"

void say_handshake(struct client *client);
void client_send_text(struct client *client, const char *text, size_t length);

/* Takes one answer or frame off the front of `data`; answers how many bytes that were, 0 if it is not complete. */
size_t take_one(struct client *client, uint8_t *data, size_t length);

#endif
