package clerk

// userBody is a user in its own events. What a laptop has no use for is
// present and empty, as it is for a fresh account in Clerk.
type userBody struct {
	BackupCodeEnabled             bool               `json:"backup_code_enabled"`
	Banned                        bool               `json:"banned"`
	CreateOrganizationEnabled     bool               `json:"create_organization_enabled"`
	CreateOrganizationsLimit      *int               `json:"create_organizations_limit"`
	CreatedAt                     int64              `json:"created_at"`
	DeleteSelfEnabled             bool               `json:"delete_self_enabled"`
	EmailAddresses                []emailAddressBody `json:"email_addresses"`
	EnterpriseAccounts            []struct{}         `json:"enterprise_accounts"`
	ExternalAccounts              []struct{}         `json:"external_accounts"`
	ExternalID                    *string            `json:"external_id"`
	FirstName                     string             `json:"first_name"`
	HasImage                      bool               `json:"has_image"`
	ID                            string             `json:"id"`
	ImageURL                      string             `json:"image_url"`
	LastActiveAt                  int64              `json:"last_active_at"`
	LastName                      string             `json:"last_name"`
	LastSignInAt                  *int64             `json:"last_sign_in_at"`
	LegalAcceptedAt               *int64             `json:"legal_accepted_at"`
	Locked                        bool               `json:"locked"`
	LockoutExpiresInSeconds       *int64             `json:"lockout_expires_in_seconds"`
	MFADisabledAt                 *int64             `json:"mfa_disabled_at"`
	MFAEnabledAt                  *int64             `json:"mfa_enabled_at"`
	Object                        string             `json:"object"`
	Passkeys                      []struct{}         `json:"passkeys"`
	PasswordEnabled               bool               `json:"password_enabled"`
	PhoneNumbers                  []struct{}         `json:"phone_numbers"`
	PrimaryEmailAddressID         string             `json:"primary_email_address_id"`
	PrimaryPhoneNumberID          *string            `json:"primary_phone_number_id"`
	PrimaryWeb3WalletID           *string            `json:"primary_web3_wallet_id"`
	PrivateMetadata               metadata           `json:"private_metadata"`
	ProfileImageURL               string             `json:"profile_image_url"`
	PublicMetadata                metadata           `json:"public_metadata"`
	SAMLAccounts                  []struct{}         `json:"saml_accounts"`
	TOTPEnabled                   bool               `json:"totp_enabled"`
	TwoFactorEnabled              bool               `json:"two_factor_enabled"`
	UnsafeMetadata                metadata           `json:"unsafe_metadata"`
	UpdatedAt                     int64              `json:"updated_at"`
	Username                      *string            `json:"username"`
	VerificationAttemptsRemaining int                `json:"verification_attempts_remaining"`
	Web3Wallets                   []struct{}         `json:"web3_wallets"`
}

type emailAddressBody struct {
	CreatedAt            int64            `json:"created_at"`
	EmailAddress         string           `json:"email_address"`
	ID                   string           `json:"id"`
	LinkedTo             []struct{}       `json:"linked_to"`
	MatchesSSOConnection bool             `json:"matches_sso_connection"`
	Object               string           `json:"object"`
	Reserved             bool             `json:"reserved"`
	UpdatedAt            int64            `json:"updated_at"`
	Verification         verificationBody `json:"verification"`
}

type verificationBody struct {
	Attempts int    `json:"attempts"`
	ExpireAt int64  `json:"expire_at"`
	Object   string `json:"object"`
	Status   string `json:"status"`
	Strategy string `json:"strategy"`
}

func (s *state) userBody(u user) userBody {
	const codeLife = 10 * 60 * 1000 // of the e-mailed code, in milliseconds
	none := []struct{}{}            // Clerk sends [] rather than null
	return userBody{
		Banned: u.Banned, Locked: u.Locked,
		CreateOrganizationEnabled: true, CreatedAt: u.CreatedAt, DeleteSelfEnabled: true,
		EmailAddresses: []emailAddressBody{{
			CreatedAt: u.CreatedAt, EmailAddress: u.Email, ID: u.EmailID, LinkedTo: none,
			Object: "email_address", UpdatedAt: u.CreatedAt,
			Verification: verificationBody{
				Attempts: 1, ExpireAt: u.CreatedAt + codeLife, Object: "verification_otp",
				Status: "verified", Strategy: "email_code",
			},
		}},
		EnterpriseAccounts: none, ExternalAccounts: none, FirstName: u.FirstName, ID: u.ID,
		LastActiveAt: u.CreatedAt, LastName: u.LastName, Object: "user", Passkeys: none,
		PasswordEnabled: true, PhoneNumbers: none, PrimaryEmailAddressID: u.EmailID,
		SAMLAccounts: none, UpdatedAt: u.UpdatedAt, VerificationAttemptsRemaining: 100, Web3Wallets: none,
	}
}
