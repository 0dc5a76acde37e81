package browsertest

import (
	"context"

	"github.com/chromedp/chromedp"
)

// PaleTexts are the texts whose contrast to what is behind them is below 4.5,
// as WCAG computes it, each with its contrast and class. Controls that are
// disabled are exempt. ctx is from New.
func PaleTexts(ctx context.Context) ([]string, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[[]string](paleTexts))
}

const paleTexts = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const over = (colours) => {
		canvas.clearRect(0, 0, 1, 1);
		for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
		return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
	};
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => (e ? [...behind(e.parentElement), getComputedStyle(e).backgroundColor] : []);
	const pale = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest(":disabled, :has(> :disabled), .spoken, .skip")) continue;
		const ground = behind(e);
		const [a, b] = [over(ground), over([...ground, getComputedStyle(e).color])].map(luminance).sort((x, y) => y - x);
		const contrast = (a + 0.05) / (b + 0.05);
		if (contrast < 4.5) pale.push(contrast.toFixed(2) + " " + e.className + ": " + walker.currentNode.data.trim());
	}
	return pale;
})()`
