//go:build !race

package segment

// damageStep: every byte is changed.
const damageStep = 1
