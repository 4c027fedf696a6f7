// Package fault kills the process at named points, so that tests can see what a crash there leaves behind. It costs one
// atomic load per point where no fault is set. It imports nothing of ours.
package fault
