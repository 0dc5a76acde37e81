package clerk

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

const keyBits = 2048

// sessionCategory is the token class of session tokens in Clerk's cat header;
// machine and template tokens are signed with the same key and have others.
const sessionCategory = "cl_B7d4PD111AAA"

// makeKey makes the instance's key and writes it, readable by the owner only.
func makeKey(path string) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("make the signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the signing key: %w", err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if err := writeAtomically(path, pem.EncodeToMemory(block)); err != nil {
		return nil, err
	}
	return key, nil
}

// loadKey reads the instance's key. It returns os.ErrNotExist if there is
// none.
func loadKey(path string) (*rsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it is not the PEM that was written here")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it does not hold a private key")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() != keyBits {
		return nil, fmt.Errorf("it does not hold an RSA key of %d bits", keyBits)
	}
	return key, nil
}

// keySet is the public half. Clerk's kid is the instance id.
func keySet(key *rsa.PrivateKey, instanceID string) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: key.Public(), KeyID: instanceID, Algorithm: string(jose.RS256), Use: "sig",
	}}}
}

// newSigner signs session tokens with the header that Clerk's have.
func newSigner(key *rsa.PrivateKey, instanceID string) (jose.Signer, error) {
	return jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: instanceID}},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("cat", sessionCategory),
	)
}
