// Package browsertest opens pages in a real, headless Chromium that can reach
// this machine only, and notes what went wrong in them; it is independent of
// what is tested.
package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience bounds everything that one browser does.
const patience = 2 * time.Minute

// atOnce bounds how many browsers run side by side: each is several processes.
var atOnce = make(chan struct{}, 2)

// New starts a browser with a profile of its own and gives its first tab, for
// the functions of this package and of chromedp. The browser ends with the
// test. Outside requests fail, and are noted.
//
// Where there is no Chromium the test is skipped, and says what to install.
func New(t testing.TB) context.Context {
	t.Helper()
	path := find(t)
	atOnce <- struct{}{}
	t.Cleanup(func() { <-atOnce })

	deadline, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	allocator, stop := chromedp.NewExecAllocator(deadline, flags(path)...)
	t.Cleanup(stop)
	seen := &recorder{}
	ctx, closeTab := chromedp.NewContext(context.WithValue(allocator, recorderKey{}, seen), chromedp.WithListener(seen.note))
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, Look(1280, 900, Light)); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// flags let the browser run as root and in a container, and ask for nothing by
// itself.
func flags(path string) []chromedp.ExecAllocatorOption {
	options := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	return append(options,
		chromedp.ExecPath(path),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * 127.0.0.1:1, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
}

// Scheme is a colour scheme that a page may be asked for.
type Scheme string

// The colour schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Look sets the size of the window and the colour scheme, with animations off.
func Look(width, height int64, scheme Scheme) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.EmulateViewport(width, height),
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: string(scheme)},
					{Name: "prefers-reduced-motion", Value: "reduce"},
				},
			})
			return err
		}),
	)
}

// Screenshot writes what the window shows to name.png in the folder that
// TENANTRY_SCREENSHOTS names. Without the variable it does nothing.
func Screenshot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	write(t, ctx, name, chromedp.CaptureScreenshot())
}

// FullScreenshot is Screenshot of the whole page, also of what does not fit in
// the window.
func FullScreenshot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	write(t, ctx, name, chromedp.FullScreenshot(100))
}

func write(t testing.TB, ctx context.Context, name string, shot chromedp.Action[[]byte]) {
	t.Helper()
	dir := os.Getenv("TENANTRY_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, shot)
	if err != nil {
		t.Fatalf("screenshot %s: %v", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
