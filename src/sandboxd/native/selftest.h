// The first words of this program: what a probe, run as the agent, found in this very container.
#ifndef RF_SELFTEST_H
#define RF_SELFTEST_H

// Runs the probe and sends what it said. It claims nothing: the orchestrator turns the findings into controls.
void rf_self_test(const char *root, const char *nonce, int signals);

#endif
