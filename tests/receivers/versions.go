// SPDX-License-Identifier: Apache-2.0

//go:build never

// Package receivers has the servers that the spans are sent to. This file is not built: it keeps in go.mod what is
// built from other modules as it is.
package receivers

import _ "github.com/jaegertracing/jaeger/cmd/all-in-one"
