#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Macros, which Swift does not see.
static inline int tc_ssl_set_server_name(SSL *_Nonnull ssl, const char *_Nonnull name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
static inline int tc_ssl_context_set_versions(SSL_CTX *_Nonnull context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) && SSL_CTX_set_max_proto_version(context, maximum);
}
static inline int tc_ssl_context_add_chain(SSL_CTX *_Nonnull context, X509 *_Nonnull certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline int tc_bio_pending(BIO *_Nonnull bio) { return (int)BIO_pending(bio); }
/// A password callback for keys that have one: nobody is there to be asked.
static inline int tc_no_password(char *_Nullable buffer, int size, int writing, void *_Nullable context) {
    (void)buffer; (void)size; (void)writing; (void)context;
    return -1;
}
