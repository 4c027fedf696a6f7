package httpapi

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// openAPI is the document of the whole API, made from docs/api/openapi.yaml by docs/gen.
//
//go:embed openapi.json
var openAPI []byte

// openapi answers the document. Every node has it.
func (s *Server) openapi(c echo.Context) error {
	return write(c, http.StatusOK, mimeJSON, openAPI)
}
