#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int tc_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int tc_epoll_watch(int epoll, int descriptor, uint32_t events, int once) {
    struct epoll_event event = {.events = events | (once ? EPOLLONESHOT : 0), .data.fd = descriptor};
    if (events == 0) {
        // A descriptor that is closed already has left the set by itself.
        epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
        return 0;
    }
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    if (errno != ENOENT) return -1;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int tc_epoll_wait(int epoll, struct tc_epoll_event *events, int count, int milliseconds) {
    struct epoll_event ready[64];
    if (count > 64) count = 64;
    int found = epoll_wait(epoll, ready, count, milliseconds);
    if (found < 0) return errno == EINTR ? 0 : -1;
    for (int index = 0; index < found; index++) {
        events[index].events = ready[index].events;
        events[index].descriptor = ready[index].data.fd;
    }
    return found;
}

int tc_eventfd_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void tc_eventfd_signal(int eventfd) {
    uint64_t one = 1;
    while (write(eventfd, &one, sizeof one) < 0 && errno == EINTR) {}
}

void tc_eventfd_drain(int eventfd) {
    uint64_t count;
    while (read(eventfd, &count, sizeof count) < 0 && errno == EINTR) {}
}

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int tc_thread_start(const char *name, void (*body)(void *), void *context) {
    struct start *start = malloc(sizeof *start);
    if (!start) return ENOMEM;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);
    start->name[sizeof start->name - 1] = 0;

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // A new thread inherits the mask of its creator.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) free(start);
    return error;
}

void tc_give_back_memory(void) { malloc_trim(0); }
