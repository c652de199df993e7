#include "CCoverage.h"

// Written by whatever thread takes an edge for the first time; a lost update costs one repetition.
static volatile int counting;
static volatile uint32_t taken;
static uint32_t total;

void coverage_count(int is_counting) { counting = is_counting; }
uint32_t coverage_taken(void) { return taken; }
uint32_t coverage_total(void) { return total; }

void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {
  if (start == stop || *start != 0) return;
  for (uint32_t *guard = start; guard < stop; guard++) *guard = ++total;
}

void __sanitizer_cov_trace_pc_guard(uint32_t *guard) {
  if (*guard == 0 || !counting) return;
  *guard = 0;
  taken++;
}
