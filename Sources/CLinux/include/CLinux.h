#pragma once
// What Linux has and the Glibc module does not import: epoll, eventfd, names of threads, the allocator's trimming.
#include <pthread.h>
#include <stdint.h>

/// Bits of `tc_epoll_event.events`, the same on every architecture.
enum { TC_EPOLL_IN = 0x001, TC_EPOLL_OUT = 0x004, TC_EPOLL_ERR = 0x008, TC_EPOLL_HUP = 0x010 };

struct tc_epoll_event {
    uint32_t events;
    int32_t descriptor;
};

/// A new epoll descriptor, closed on exec; -1 and errno.
int tc_epoll_create(void);
/// Watches `descriptor` for `events`, whether it was watched before or not. 0 stops watching. -1 and errno.
int tc_epoll_watch(int epoll, int descriptor, uint32_t events, int once);
/// Waits up to `milliseconds` (-1: for ever) for at most `count` (up to 64) events. A signal counts as no event.
int tc_epoll_wait(int epoll, struct tc_epoll_event *_Nonnull events, int count, int milliseconds);
/// A new non-blocking eventfd, closed on exec; -1 and errno.
int tc_eventfd_create(void);
/// Makes the eventfd readable.
void tc_eventfd_signal(int eventfd);
/// Makes the eventfd unreadable.
void tc_eventfd_drain(int eventfd);
/// Starts a detached thread that has all signals blocked (a broken pipe is then an error, not a signal). 0 or an errno.
int tc_thread_start(const char *_Nonnull name, void (*_Nonnull body)(void *_Nonnull), void *_Nonnull context);
/// Returns free memory that the allocator holds to the system. Takes milliseconds for each 100 MB.
void tc_give_back_memory(void);
