package natsserver

import (
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"
)

// internalUser is this process' own user; its password never leaves it.
const internalUser = "ogham-internal"

// gate gives this process all rights, and network clients either those of the
// configured user or the right to listen. Without it, whoever reaches the port
// could shrink the log: denied deletes do not stop a stream update.
type gate struct {
	password                     string
	networkUser, networkPassword string
}

// Check admits a client.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	switch {
	case o.Username == internalUser:
		return same(o.Password, g.password)
	case g.networkUser != "":
		return same(o.Username, g.networkUser) && same(o.Password, g.networkPassword)
	default:
		c.RegisterUser(&server.User{Permissions: readerPermissions()})
		return true
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// readerPermissions lets a client subscribe to events as they come, and no
// more. The right to make consumers is left out on purpose: a consumer delivers
// to a subject of its maker's choice, which is a way to publish.
func readerPermissions() *server.Permissions {
	return &server.Permissions{
		Subscribe: &server.SubjectPermission{Allow: []string{"ogham.>", "_INBOX.>"}},
		Publish:   &server.SubjectPermission{Deny: []string{">"}},
	}
}
