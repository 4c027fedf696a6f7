//go:build race

package segment

// damageStep is how many bytes lie between two that the damage tests change: the race detector makes each try ten times
// as dear, and finds nothing in the second that it did not find in the first.
const damageStep = 11
