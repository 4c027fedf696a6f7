package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// normalise rewrites the path so that the router sees one form of it, following what Druid's server does: what follows a
// bare ';' in a segment is cut off, an escaped '/' belongs to its segment, a '+' is a '+', bytes that are no UTF-8 become
// U+FFFD, and one slash at the end is ignored. The router matches on the escaped form; handlers read segments through
// segment().
func (s *Server) normalise(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		raw, _, _ := strings.Cut(r.RequestURI, "?")
		if !strings.HasPrefix(raw, "/") { // the absolute form, or a request that was made inside the process
			raw = r.URL.EscapedPath()
		}
		if strings.ContainsAny(raw, "[]") {
			return writeJSON(c, http.StatusBadRequest, containerError{"default", "Bad Request", raw, "400"})
		}
		escaped, ok := normalPath(raw)
		if !ok {
			return c.NoContent(http.StatusNotFound)
		}
		if err := refuseMethod(c, escaped); err != nil || c.Response().Committed {
			return err
		}
		r.URL.RawPath = escaped
		return next(c)
	}
}

// containerError is the error page of Druid's servlet container, as JSON.
type containerError struct {
	Servlet string `json:"servlet"`
	Message string `json:"message"`
	URL     string `json:"url"`
	Status  string `json:"status"`
}

// normalPath is false where a segment in the middle is empty or a dot segment: no route has such.
func normalPath(raw string) (string, bool) {
	if !strings.HasPrefix(raw, "/") {
		return "", false
	}
	segments := strings.Split(raw[1:], "/")
	if n := len(segments); n > 1 && segments[n-1] == "" {
		segments = segments[:n-1]
	}
	for i, seg := range segments {
		seg, _, _ = strings.Cut(seg, ";")
		text, err := url.PathUnescape(seg)
		if err != nil || text == "" || text == "." || text == ".." {
			return "", false
		}
		segments[i] = url.PathEscape(validUTF8(text))
	}
	return "/" + strings.Join(segments, "/"), true
}

// validUTF8 puts U+FFFD for every byte that is none, as Java does; strings.ToValidUTF8 puts one for a run of them.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s { // a bad byte is read as U+FFFD of width 1
		b.WriteRune(r)
	}
	return b.String()
}

// refuseMethod answers the two methods that the router would answer by itself, otherwise than Druid.
func refuseMethod(c echo.Context, escaped string) error {
	if !strings.HasPrefix(escaped, "/druid/") {
		return nil
	}
	switch c.Request().Method {
	case http.MethodHead:
		c.Response().Header().Set(echo.HeaderContentType, mimeJSON)
		return c.NoContent(http.StatusMethodNotAllowed)
	case http.MethodOptions:
		return c.NoContent(http.StatusMethodNotAllowed)
	}
	return nil
}

// segment returns a path parameter as text.
func segment(c echo.Context, name string) string {
	text, err := url.PathUnescape(c.Param(name))
	if err != nil { // normalise wrote it, so it can be read
		return c.Param(name)
	}
	return text
}
