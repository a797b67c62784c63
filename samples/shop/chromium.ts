/** What the spec of the page uses of Playwright, whose own types need those of a browser. */
export interface Finder {
  getByRole(role: string, options?: { readonly name?: string; readonly exact?: boolean }): Locator;
  getByText(text: string, options?: { readonly exact?: boolean }): Locator;
  locator(selector: string, options?: { readonly hasText?: string | RegExp }): Locator;
}

export interface Locator extends Finder {
  first(): Locator;
  click(): Promise<void>;
  waitFor(): Promise<void>;
  innerText(): Promise<string>;
  isVisible(): Promise<boolean>;
  isDisabled(): Promise<boolean>;
}

export interface Context {
  newPage(): Promise<Page>;
}

export interface Page extends Finder {
  context(): Context;
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  close(): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  setDefaultTimeout(milliseconds: number): void;
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>;
  on(event: 'pageerror', hear: (error: Error) => void): void;
  on(event: 'response', hear: (response: { status(): number; url(): string }) => void): void;
}

export interface Browser {
  newContext(options: { readonly viewport: { readonly width: number; readonly height: number } }): Promise<Context>;
  close(): Promise<void>;
}

interface LaunchOptions {
  readonly executablePath: string;
  readonly args: readonly string[];
}

/** Where Debian's package puts it. */
export const chromiumPath = process.env['EVENTFOLD_CHROMIUM'] ?? '/usr/bin/chromium';

/** Starts a browser with a new profile, that asks for nothing but the pages it is sent to. */
export function openChromium(): Promise<Browser> {
  const { chromium } = require('playwright-core') as { chromium: { launch(options: LaunchOptions): Promise<Browser> } };
  const quiet = ['quic', 'background-networking', 'component-update', 'sync'].map((what) => `--disable-${what}`);
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...quiet] });
}
