package supervisor

// Code says why a command was refused, for callers that decide on it.
type Code string

// The codes.
const (
	CodeNotFound         Code = "notFound"
	CodeAlreadySuspended Code = "alreadySuspended"
	CodeAlreadyRunning   Code = "alreadyRunning"
	CodeInvalid          Code = "invalid"
	// CodeGone: the task or group that the command is about has ended.
	CodeGone Code = "gone"
	// CodeAhead: an earlier sequence is not committed yet; the same command may succeed later.
	CodeAhead Code = "ahead"
	// CodeConflict: the offsets are not the committed ones and never will be.
	CodeConflict Code = "conflict"
	// CodePublished: the sequence is committed already; Decide's caller finds its segments in the state.
	CodePublished Code = "published"
)

// Refusal is a command's refusal: a code and a text meant for the user.
type Refusal struct {
	Code    Code
	Message string
}

func (r *Refusal) Error() string { return r.Message }
