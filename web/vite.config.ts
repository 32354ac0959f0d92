import { defineConfig } from 'vitest/config';

// Every page is an input of its own. File names carry a hash of their content and nothing else, so that the same
// sources give the same bytes and the server may serve /assets/ as immutable.
export default defineConfig({
  base: '/',
  publicDir: false,
  build: {
    target: ['es2020', 'chrome87', 'safari14', 'firefox78'],
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: script or style
    modulePreload: { polyfill: false }, // the polyfill is an inline script
    sourcemap: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { viewer: 'viewer.html', clip: 'clip.html', editor: 'editor.html', studio: 'studio.html', push: 'src/push/push.ts' },
      output: {
        // A service worker keeps its address for good, and serves what stands below it.
        entryFileNames: (chunk) => (chunk.name === 'push' ? 'push.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
