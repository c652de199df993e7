// The functions are inline, so that the compiler sees through them from Swift.
#include "CScan.h"
