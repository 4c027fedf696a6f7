package tasklogs

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

const (
	suffix = ".log"
	// maxName leaves room for the suffix of an unfinished copy in a name of 255 bytes.
	maxName = 200
)

// fileName is Druid's name for a task's log. An id that cannot name a file, since it holds the data source's name, is
// shortened and told apart by its hash.
func fileName(taskID string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == '\\' || r == 0x7f {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(taskID, "_"))
	if clean == taskID && len(clean) <= maxName && clean != "" && clean[0] != '.' && filepath.IsLocal(clean) {
		return clean + suffix
	}
	sum := sha256.Sum256([]byte(taskID))
	if len(clean) > maxName-40 {
		clean = strings.ToValidUTF8(clean[:maxName-40], "")
	}
	return "_" + clean + "_" + hex.EncodeToString(sum[:16]) + suffix
}
