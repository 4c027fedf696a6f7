// Package httpapi answers HTTP: Druid's supervisor and task routes as Druid 33 answers them, and Ogham's own event feed,
// segment list and status of the past.
//
// [Server] is the main type. All routes are in routes.go; a handler reads the request, asks one of the interfaces that
// this package declares ([Overlord], [Views], [Log]), and answers. Errors become statuses in one place, errors.go.
//
// It may import domain and eventstore, and nothing else of ours: the overlord and the read models come in through the
// interfaces. It decides nothing and keeps no state beyond the open connections.
package httpapi
