using System.Security.Cryptography;

namespace Holdfast.Cli.Secrets;

/// <summary>A password as bytes. Wiped when disposed; never shown.</summary>
internal sealed class Password(byte[] content) : IDisposable
{
    /// <summary>Longest password in bytes: a key file fits, a mistaken path to something large does not.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly byte[] content = content;

    /// <summary>The bytes, until this is disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => content;

    /// <summary>Overwrites the bytes.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(content);

    /// <summary>Shows nothing of it.</summary>
    public override string ToString() => "(password)";
}
