/* floor: the least that a server in user space can do for a room.
 *
 * It takes each WebSocket message and writes it, as one frame, to every connection of the room: no storage, no sign-in,
 * no check of who is a member, no queue. What Renraku needs beyond this program is what Renraku costs.
 *
 *     floor PORT        listens on 127.0.0.1:PORT; a client enters the room that its path names: GET /0 … /1023
 *
 * It serves this benchmark's generator only: the answer to the handshake is fixed, frames come whole and masked
 * (RFC 6455), and messages are 126 to 65535 bytes long.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "websocket.h"

enum { ROOMS = 1024, INPUT = 1 << 16, EVENTS = 256 };

struct member {
    int fd;
    int room;            /* -1 until the handshake is done */
    size_t held;         /* bytes of an unfinished request or frame */
    uint8_t *input;      /* NULL while nothing is held */
};

struct room {
    struct member **members;
    int count, capacity;
};

static struct room rooms[ROOMS];
static struct member *listening;   /* stands for the listening socket in epoll's events */
static int epoll_fd;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void enter(struct member *member, int number)
{
    struct room *room = &rooms[number];
    if (room->count == room->capacity) {
        room->capacity = room->capacity ? room->capacity * 2 : 64;
        room->members = realloc(room->members, room->capacity * sizeof *room->members);
    }
    room->members[room->count++] = member;
    member->room = number;
}

static void leave(struct member *member)
{
    if (member->room >= 0) {
        struct room *room = &rooms[member->room];
        for (int i = 0; i < room->count; i++)
            if (room->members[i] == member) {
                room->members[i] = room->members[--room->count];
                break;
            }
    }
    close(member->fd);
    free(member->input);
    free(member);
}

/* The work that is measured. A member whose socket is full loses the frame, and the generator fails for want of it. */
static void fan_out(const struct room *room, const uint8_t *payload, size_t length)
{
    static uint8_t frame[INPUT + 4];
    frame[0] = WS_FINAL | WS_BINARY;
    frame[1] = 126;
    frame[2] = length >> 8;
    frame[3] = length & 0xff;
    memcpy(frame + 4, payload, length);
    for (int i = 0; i < room->count; i++)
        if (send(room->members[i]->fd, frame, length + 4, MSG_NOSIGNAL) < 0 && errno == EAGAIN)
            fprintf(stderr, "floor: a frame was lost\n");
}

static size_t handshake(struct member *member, uint8_t *data, size_t length)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: " WS_SAMPLE_ACCEPT "\r\n\r\n";
    uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    enter(member, atoi((char *)data + strlen("GET /")) % ROOMS);
    if (send(member->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        perror("floor: handshake");
    return end + 4 - data;
}

/* Takes one request or frame off the front of `data`; answers how many bytes that were, 0 if it is not complete. */
static size_t take_one(struct member *member, uint8_t *data, size_t length)
{
    struct ws_frame frame;
    if (member->room < 0)
        return handshake(member, data, length);
    if (!ws_parse(data, length, &frame))
        return 0;
    ws_unmask(&frame);
    if (frame.opcode == WS_BINARY)
        fan_out(&rooms[member->room], frame.payload, frame.length);
    return frame.size;
}

static void receive(struct member *member)
{
    static uint8_t buffer[2 * INPUT];
    memcpy(buffer, member->input, member->held);
    ssize_t got = recv(member->fd, buffer + member->held, INPUT, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            leave(member);
        return;
    }
    uint8_t *at = buffer;
    size_t left = member->held + got, used;
    while (left && (used = take_one(member, at, left))) {
        at += used;
        left -= used;
    }
    if (left > INPUT) {
        leave(member);
        return;
    }
    if (left && !member->input)
        member->input = malloc(INPUT);
    memcpy(member->input, at, left);
    member->held = left;
}

static void watch(struct member *member)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, member->fd, &event))
        die("epoll_ctl");
}

static void accept_all(void)
{
    int fd, on = 1;
    while ((fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct member *member = calloc(1, sizeof *member);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        member->fd = fd;
        member->room = -1;
        watch(member);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = calloc(1, sizeof *listening);
    listening->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listening->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listening->fd, (struct sockaddr *)&address, sizeof address) || listen(listening->fd, 4096))
        die("listen");
    epoll_fd = epoll_create1(0);
    watch(listening);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct member *member = events[i].data.ptr;
            if (member == listening)
                accept_all();
            else
                receive(member);
        }
    }
}
