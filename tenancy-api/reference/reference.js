/* Runs in the browser. */
globalThis.SwaggerUIBundle({
  dom_id: '#reference',
  url: '/v1/openapi.json',
  deepLinking: true,
  filter: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 3,
  defaultModelRendering: 'example',
  displayRequestDuration: true,
  // Swagger's own service would judge the document otherwise.
  validatorUrl: null,
});
