// A server on Go's net/http that does what the path asks for. Arguments: port, and certificate and key for TLS.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func contentOf(number int) string {
	size := number * 97 % 5_000
	if number >= 62 {
		size = 300_000
	}
	return fmt.Sprintf("%d:%s", number, strings.Repeat("x", size))
}

func handle(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	number, _ := strconv.Atoi(parts[2])
	content := contentOf(number)
	length := func() { w.Header().Set("Content-Length", strconv.Itoa(len(content))) }
	inPieces := func() {
		size := max(7, len(content)/20)
		for at := 0; at < len(content); at += size {
			io.WriteString(w, content[at:min(at+size, len(content))])
			w.(http.Flusher).Flush()
		}
	}
	switch parts[1] {
	case "length":
		length()
		io.WriteString(w, content)
	case "close":
		length()
		w.Header().Set("Connection", "close")
		io.WriteString(w, content)
	case "chunks":
		inPieces()
	case "trailers":
		w.Header().Set("Trailer", "X-One")
		inPieces()
		w.Header().Set("X-One", "1")
	case "to-close":
		w.Header().Set("Transfer-Encoding", "identity")
		inPieces()
	case "interim":
		w.Header().Set("Link", "</x>")
		w.WriteHeader(100)
		w.WriteHeader(103)
		length()
		io.WriteString(w, content)
	case "upload":
		read, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d:%d", number, read)
	case "early":
		http.Error(w, "too large", 413)
	case "cut":
		length()
		io.WriteString(w, content[1:])
	case "none":
		panic(http.ErrAbortHandler)
	}
}

func main() {
	log.SetOutput(io.Discard)
	address := "127.0.0.1:" + os.Args[1]
	http.HandleFunc("/", handle)
	if len(os.Args) > 2 {
		fmt.Fprintln(os.Stderr, http.ListenAndServeTLS(address, os.Args[2], os.Args[3], nil))
	} else {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, nil))
	}
	os.Exit(1)
}
