/* Runs in the browser. */
const response = await fetch('/v1/openapi.json');
const spec = await response.json();
// The page takes a token that one has: Swagger UI is no client of the issuer, and would ask it for more.
delete spec.components.securitySchemes.signIn;
spec.security = [{ accessToken: ['api'] }];

globalThis.SwaggerUIBundle({
  dom_id: '#reference',
  spec,
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
