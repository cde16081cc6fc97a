using System.Security.Cryptography;

namespace Holdfast.Vault;

/// <summary>A password as bytes. Never shown; cleared when disposed.</summary>
public sealed class VaultSecret : IDisposable
{
    private readonly byte[] password;
    private bool isDisposed;

    /// <summary>Takes a copy of the password.</summary>
    public VaultSecret(ReadOnlySpan<byte> password) => this.password = password.ToArray();

    internal ReadOnlySpan<byte> Password
    {
        get
        {
            // What is left would be a password of zeros.
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return password;
        }
    }

    /// <summary>Says nothing of what is inside.</summary>
    public override string ToString() => "(secret)";

    /// <inheritdoc/>
    public void Dispose()
    {
        isDisposed = true;
        CryptographicOperations.ZeroMemory(password);
    }
}
