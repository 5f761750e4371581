/** Words for the TLS errors of Node and OpenSSL. */
const AUTHORITY =
  'its certificate is signed by an authority that is not trusted here: set NODE_EXTRA_CA_CERTS to a file with the ' +
  "authority's certificate in PEM, or let the server send its whole chain";

const CAUSES: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is the clock right?',
  CERT_REVOKED: 'its certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by itself: set NODE_EXTRA_CA_CERTS to a file with that certificate in PEM',
  EPROTO: 'it does not speak TLS as expected: is it the right port?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: AUTHORITY,
};

/** @returns null if the code is of no failure of TLS */
export function tlsFailure(code: string | null | undefined): string | null {
  return CAUSES[code ?? ''] ?? null;
}
