// The client of rf-kill, which ends every process of the agent at once, also when no process can be started any more.
#ifndef RF_KILLER_H
#define RF_KILLER_H

#include "guard.h"

// The private socket to rf-kill, as rf-enter hands it over.
#define RF_KILLER_FD 3

// Waits until the first killer stands. Ends the program when there is none.
void rf_killer_open(void);
// Orders a kill. Orders are carried out in turn.
void rf_killer_order(void);
// Takes the answers that have arrived: each says that the signals of one order were sent and the next killer stands, or could not be made.
void rf_killer_take(void);
// Orders under way. While there is one, a late signal of it would hit the next call.
unsigned rf_killer_busy(void);

#endif
