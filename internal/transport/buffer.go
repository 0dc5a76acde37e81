package transport

import (
	"bytes"
	"sync"
)

// maxPooledBuffer keeps one large page from occupying memory for good.
const maxPooledBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// newBuffer returns an empty buffer. Nothing that freeBuffer gets may still be read.
func newBuffer() *bytes.Buffer {
	return buffers.Get().(*bytes.Buffer)
}

func freeBuffer(buffer *bytes.Buffer) {
	if buffer.Cap() > maxPooledBuffer {
		return
	}
	buffer.Reset()
	buffers.Put(buffer)
}
