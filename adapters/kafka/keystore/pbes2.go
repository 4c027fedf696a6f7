package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // older tools encrypt keys with it
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the default of PBKDF2
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// maxRounds bounds the work of opening an encrypted key, whose text is a user's and says itself how often to digest: ten
// times what tools write today, a few seconds.
const maxRounds = 10_000_000

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	errNotWhole = errors.New("the encrypted private key is not whole")
)

// digests are what PBKDF2 may be built on, by the object identifier of the HMAC.
var digests = map[string]func() hash.Hash{
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

// blockCipher is a cipher in CBC mode.
type blockCipher struct {
	keySize int
	make    func(key []byte) (cipher.Block, error)
}

var blockCiphers = map[string]blockCipher{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// decryptKey opens an EncryptedPrivateKeyInfo of PKCS #8 by PBES2 of PKCS #5 (RFC 8018) with PBKDF2, which is what Java
// and OpenSSL write.
func decryptKey(der []byte, password string) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, errNotWhole
	}
	if !info.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, errors.New("the private key is encrypted with an outdated scheme; write it with PBES2 (openssl pkcs8 -topk8 -v2 aes-256-cbc)")
	}
	var scheme struct{ Derivation, Cipher pkix.AlgorithmIdentifier }
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, errNotWhole
	}
	c, ok := blockCiphers[scheme.Cipher.Algorithm.String()]
	if !ok {
		return nil, fmt.Errorf("the cipher %s of the private key is not known", scheme.Cipher.Algorithm)
	}
	var iv []byte
	if _, err := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, errNotWhole
	}
	key, err := deriveKey(scheme.Derivation, password, c.keySize)
	if err != nil {
		return nil, err
	}
	block, err := c.make(key)
	if err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, info.Data)
}

func deriveKey(derivation pkix.AlgorithmIdentifier, password string, size int) ([]byte, error) {
	if !derivation.Algorithm.Equal(oidPBKDF2) {
		return nil, errors.New("the private key is encrypted with a key derivation that is not PBKDF2")
	}
	var p struct {
		Salt   []byte
		Rounds int
		Size   int                      `asn1:"optional"`
		Digest pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(derivation.Parameters.FullBytes, &p); err != nil {
		return nil, errNotWhole
	}
	if p.Rounds < 1 || p.Rounds > maxRounds {
		return nil, fmt.Errorf("the private key wants %d rounds to be opened, at most %d are done", p.Rounds, maxRounds)
	}
	digest := sha1.New
	if len(p.Digest.Algorithm) > 0 {
		var ok bool
		if digest, ok = digests[p.Digest.Algorithm.String()]; !ok {
			return nil, fmt.Errorf("the digest %s of the private key is not known", p.Digest.Algorithm)
		}
	}
	return pbkdf2.Key(digest, password, p.Salt, p.Rounds, size)
}

// decryptCBC decrypts and takes the padding off. Wrong padding says that the password is wrong.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errNotWhole
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > size {
		return nil, ErrPassword
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, ErrPassword
		}
	}
	return plain[:len(plain)-pad], nil
}
