/* load: the load generator. One thread, epoll; the server's CPU time is read here, so that it covers exactly the
 * time that is measured. Prints one JSON object on standard output. See README.md for what each mode is for.
 *
 *     load --port P --clients FILE [--speak plain|renraku] MODE [options]
 *
 * FILE has one line a client: "TOKEN ROOM", or "- ROOM" for plain servers. Clients with the same ROOM share it.
 *
 *     --window N      N messages in flight in each room: the next is sent when every member has one of them
 *     --rate N        N messages a second into each room, for latencies
 *     --acks          each room's first client sends, one after the other: the next is sent on the ack
 *     --idle          connect, print {"ready": N}, hold until standard input ends
 *     --storm         the first client sends one after the other; all the others drop and come back at once
 *
 *     --second-port P every other client connects there: two nodes of one server
 *     --across        latencies of what was sent at the one and is delivered at the other alone
 *
 *     --text-bytes N  length of a message's text (of the whole message for plain servers)
 *     --warm S, --seconds S (SIGTERM ends it sooner), --pid PID (repeatable: the server's processes)
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client.h"
#include "speak.h"

enum { MAX_CLIENTS = 20000, MAX_IN_FLIGHT = 64, MAX_PIDS = 64, LATENCIES = 1 << 22, CONNECTING_AT_ONCE = 32 };

/* A room of the load: who is in it, and how far its messages have come. */
struct group {
    struct client **members;
    int count, capacity;
    int next_sender;
    uint64_t sent, complete;                /* messages; complete: every member has it */
    int arrived[MAX_IN_FLIGHT];             /* how many members have message n, at n % MAX_IN_FLIGHT */
};

enum mode { WINDOW, RATE, ACKS, IDLE, STORM };

static struct client *clients;
static struct group *groups;
static int client_count, group_count;
static enum mode mode;
static int window;
static double rate, warm = 0.5, seconds = 2;
static size_t text_bytes = 64;
static int pids[MAX_PIDS], pid_count;

static uint64_t deliveries, acks;
static uint32_t *latencies;   /* µs */
static size_t latency_count;
static int measuring, second_port, across;

static double seconds_since(int64_t start) { return (now_ns() - start) / 1e9; }

/* The server's CPU seconds so far, user and system, all threads (proc(5), stat: fields 14 and 15). */
static double server_cpu(void)
{
    double ticks = 0;
    for (int i = 0; i < pid_count; i++) {
        char path[64], line[1024] = "";
        unsigned long user, system;
        snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
        FILE *file = fopen(path, "r");
        if (!file || !fgets(line, sizeof line, file))
            fail("process %d is gone", pids[i]);
        fclose(file);
        char *after_name = strrchr(line, ')') + 2;   /* a process's name may hold blanks */
        if (sscanf(after_name, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
            fail("cannot read %s", path);
        ticks += user + system;
    }
    return ticks / sysconf(_SC_CLK_TCK);
}

static double own_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Clients and their rooms */

static int group_named(const char *room)
{
    for (int i = group_count - 1; i >= 0; i--)
        if (!strcmp(groups[i].members[0]->room, room))
            return i;
    return -1;
}

static void add_client(const char *token, const char *room)
{
    struct client *client = &clients[client_count++];
    client->token = strdup(token);
    client->room = strdup(room);
    client->port = second_port && client_count % 2 == 0 ? second_port : load.port;
    int number = group_named(room);
    if (number < 0)
        number = group_count++;
    struct group *group = &groups[number];
    if (group->count == group->capacity) {
        group->capacity = group->capacity ? group->capacity * 2 : 4;
        group->members = realloc(group->members, group->capacity * sizeof *group->members);
    }
    group->members[group->count++] = client;
    client->group = number;
}

static void read_clients(const char *path)
{
    char token[4096], room[64];
    FILE *file = fopen(path, "r");
    if (!file)
        fail("cannot read %s", path);
    clients = calloc(MAX_CLIENTS, sizeof *clients);
    groups = calloc(MAX_CLIENTS, sizeof *groups);
    while (client_count < MAX_CLIENTS && fscanf(file, "%4095s %63s", token, room) == 2)
        add_client(token, room);
    fclose(file);
    if (!client_count)
        fail("%s names no client", path);
}

static void connect_all(void)
{
    int64_t start = now_ns();
    for (int begun = 0; load.ready < client_count;) {
        while (begun < client_count && begun - load.ready < CONNECTING_AT_ONCE)
            client_connect(&clients[begun++]);
        clients_poll(100);
        if (seconds_since(start) > 60)
            fail("only %d of %d clients were ready after a minute", load.ready, client_count);
    }
}

static void poll_for(double duration)
{
    int64_t start = now_ns();
    while (seconds_since(start) < duration)
        clients_poll(20);
}

/* Messages */

/* Sent by the members in turn, as people do; none of them comes near a limit on one person's rate. */
static void send_into(struct group *group)
{
    static const char filler[] = "お疲れ様です。来週の定例会議の資料を共有フォルダに置きましたので、事前にご確認をお願いいたします。"
                                 "ご不明点があれば本日十八時までにこのチャットでご連絡ください。よろしくお願いいたします。";
    static char text[4096];
    size_t length = snprintf(text, sizeof text, "~%012llx", (unsigned long long)(now_ns() / 1000));
    while (length + 3 <= text_bytes) {
        memcpy(text + length, filler + (length - 13) % (sizeof filler - 1), 3);   /* each character has three bytes */
        length += 3;
    }
    while (length < text_bytes)
        text[length++] = '.';
    struct client *sender = group->members[group->next_sender++ % (mode == ACKS || mode == STORM ? 1 : group->count)];
    group->sent++;
    client_send_text(sender, text, length);
}

static void on_delivery(struct client *client, int64_t stamped_us)
{
    struct group *group = &groups[client->group];
    int *arrived = &group->arrived[client->delivered % MAX_IN_FLIGHT];
    deliveries++;
    if (++*arrived == group->count) {
        *arrived = 0;
        group->complete = client->delivered;
    }
    struct client *sender = group->members[(client->delivered - 1) % group->count];   /* they send in turn */
    if (measuring && stamped_us && latency_count < LATENCIES && !(across && sender->port == client->port))
        latencies[latency_count++] = now_ns() / 1000 - stamped_us;
}

static void on_ack(struct client *client)
{
    acks++;
    if (mode == ACKS)
        send_into(&groups[client->group]);
}

/* Sends what is due; answers how long one may wait for the next, in milliseconds. */
static int send_due(int64_t start)
{
    for (int i = 0; i < group_count; i++) {
        struct group *group = &groups[i];
        if (mode == WINDOW) {
            while (group->sent - group->complete < (uint64_t)window)
                send_into(group);
        } else if (mode == RATE) {
            while (group->sent < seconds_since(start) * rate - (double)i / group_count)   /* not all rooms at once */
                send_into(group);
        }
    }
    return mode == RATE ? 1 : 100;
}

static int ascending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static double percentile_ms(double share)
{
    return latency_count ? latencies[(size_t)(share * (latency_count - 1))] / 1e3 : 0;
}

static volatile sig_atomic_t ended;

/* Somebody else knows when what is measured is over. */
static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static void measure(void)
{
    uint64_t deliveries_before = 0, acks_before = 0, seen = 0;
    double cpu = 0, own = 0;
    int64_t start = now_ns(), began = 0, progress = start;
    latencies = malloc(LATENCIES * sizeof *latencies);
    poll_for(0.3);   /* what the connecting left behind */
    start = now_ns();
    if (mode == ACKS)
        for (int i = 0; i < group_count; i++)
            send_into(&groups[i]);
    signal(SIGTERM, on_end);
    while (!measuring || (seconds_since(began) < seconds && !ended)) {
        clients_poll(send_due(start));
        if (!measuring && seconds_since(start) >= warm) {
            measuring = 1;
            deliveries_before = deliveries;
            acks_before = acks;
            cpu = server_cpu();
            own = own_cpu();
            began = now_ns();
        }
        if (seen != deliveries + acks) {
            seen = deliveries + acks;
            progress = now_ns();
        } else if (seconds_since(progress) > 10) {
            fail("nothing arrived for ten seconds: a message was lost");
        }
    }
    double took = seconds_since(began);
    cpu = server_cpu() - cpu;
    own = own_cpu() - own;
    uint64_t delivered = deliveries - deliveries_before, acked = acks - acks_before;
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    printf("{\"clients\": %d, \"seconds\": %.3f, \"deliveries\": %llu, \"deliveries_per_second\": %.0f, "
           "\"acks_per_second\": %.1f, \"cpu_seconds\": %.3f, \"cpu_per_100k\": %.4f, \"cpu_share\": %.3f, "
           "\"generator_share\": %.3f, \"frame_bytes\": %llu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           client_count, took, (unsigned long long)delivered, delivered / took, acked / took, cpu,
           delivered ? cpu * 1e5 / delivered : 0, cpu / took, own / took, (unsigned long long)load.frame_bytes,
           percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1));
}

/* The storm */

/* The bystander's longest wait for an ack while `until` is not reached, in ms; it always has one message under way. */
static double longest_wait(struct client *bystander, double duration, int everyone_back)
{
    int64_t start = now_ns(), waited, longest = 0;
    struct group *group = &groups[bystander->group];
    while (everyone_back ? load.ready < client_count || bystander->waiting_ref : seconds_since(start) < duration) {
        if (!bystander->waiting_ref)
            send_into(group);
        int64_t sent = bystander->sent_at;
        clients_poll(5);
        waited = now_ns() - sent;
        if (waited > longest)
            longest = waited;
        if (seconds_since(start) > 60)
            fail("after a minute only %d of %d clients were back", load.ready, client_count);
    }
    return longest / 1e6;
}

static void storm(void)
{
    struct client *bystander = &clients[0];
    poll_for(0.5);
    double calm = longest_wait(bystander, 2, 0);
    for (int i = 1; i < client_count; i++) {
        struct client *client = &clients[i];
        client_drop(client);
        for (int room = 0; room < client->position_count; room++)   /* it missed the last event of one of its rooms */
            if (client->positions[room].seq > 0) {
                client->positions[room].seq--;
                break;
            }
    }
    int64_t start = now_ns();
    for (int i = 1; i < client_count; i++)
        client_connect(&clients[i]);
    double stall = longest_wait(bystander, 0, 1);
    printf("{\"clients\": %d, \"calm_ms\": %.1f, \"stall_ms\": %.1f, \"back_after_s\": %.3f}\n", client_count - 1, calm,
           stall, seconds_since(start));
}

static void hold(void)
{
    printf("{\"ready\": %d}\n", load.ready);
    fflush(stdout);
    char byte;
    for (;;) {
        struct timeval none = {0, 0};
        fd_set input;
        FD_ZERO(&input);
        FD_SET(0, &input);
        clients_poll(50);
        if (select(1, &input, NULL, NULL, &none) > 0 && read(0, &byte, 1) <= 0)
            return;
    }
}

static const char *read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, 0, 'p'},   {"clients", 1, 0, 'c'}, {"speak", 1, 0, 's'},      {"window", 1, 0, 'w'},
        {"rate", 1, 0, 'r'},   {"acks", 0, 0, 'a'},    {"idle", 0, 0, 'i'},       {"storm", 0, 0, 'S'},
        {"warm", 1, 0, 'W'},   {"seconds", 1, 0, 'd'}, {"text-bytes", 1, 0, 't'}, {"pid", 1, 0, 'P'},
        {"second-port", 1, 0, '2'}, {"across", 0, 0, 'x'},
        {0, 0, 0, 0},
    };
    const char *path = NULL;
    int option;
    load.speaks = RENRAKU;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p': load.port = atoi(optarg); break;
        case 'c': path = optarg; break;
        case 's': load.speaks = strcmp(optarg, "plain") ? RENRAKU : PLAIN; break;
        case 'w': mode = WINDOW; window = atoi(optarg); break;
        case 'r': mode = RATE; rate = atof(optarg); break;
        case 'a': mode = ACKS; break;
        case 'i': mode = IDLE; break;
        case 'S': mode = STORM; load.remember = 1; break;
        case 'W': warm = atof(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 't': text_bytes = atoi(optarg); break;
        case '2': second_port = atoi(optarg); break;
        case 'x': across = 1; break;
        case 'P': if (pid_count < MAX_PIDS) pids[pid_count++] = atoi(optarg); break;
        default: exit(2);
        }
    }
    if (!path || !load.port || (mode == WINDOW && (window < 1 || window > MAX_IN_FLIGHT)) || text_bytes > 4000)
        fail("--port, --clients and a mode are needed; at most %d in flight, 4000 bytes of text", MAX_IN_FLIGHT);
    return path;
}

int main(int argc, char **argv)
{
    read_clients(read_options(argc, argv));
    clients_open_epoll();
    load.on_delivery = on_delivery;
    load.on_ack = on_ack;
    connect_all();
    if (mode == IDLE)
        hold();
    else if (mode == STORM)
        storm();
    else
        measure();
    return 0;
}
