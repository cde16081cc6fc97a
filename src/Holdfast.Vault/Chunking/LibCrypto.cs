using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Holdfast.Vault.Chunking;

/// <summary>SHA-256 of OpenSSL by its oldest functions: .NET's hash objects cost an allocation or 0.5 to 1 µs a hash.</summary>
/// <remarks>.NET itself uses this library; where it has another version of it, <see cref="IsAvailable"/> is false.</remarks>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    /// <summary>Whether the functions are there.</summary>
    public static bool IsAvailable { get; } =
        NativeLibrary.TryLoad(Library, out nint library)
        && NativeLibrary.TryGetExport(library, nameof(SHA256_Init), out _)
        && NativeLibrary.TryGetExport(library, nameof(SHA256_Update), out _)
        && NativeLibrary.TryGetExport(library, nameof(SHA256_Final), out _);

    [LibraryImport(Library)]
    public static partial int SHA256_Init(Sha256Context* context);

    [LibraryImport(Library)]
    public static partial int SHA256_Update(Sha256Context* context, byte* bytes, nuint count);

    /// <summary>Writes the 32 bytes of the hash.</summary>
    [LibraryImport(Library)]
    public static partial int SHA256_Final(byte* hash, Sha256Context* context);

    /// <summary>An id made of what a refused call left behind would name nothing.</summary>
    public static void Demand(int result)
    {
        if (result != 1) throw new CryptographicException("libcrypto refused to hash");
    }
}

/// <summary><c>SHA256_CTX</c> of openssl/sha.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Sha256Context
{
    /// <summary>The state after the whole blocks so far.</summary>
    public fixed uint State[Sha256Lanes.StateWords];

    /// <summary>Bits hashed so far, and the upper half of their number.</summary>
    public uint Bits;
    public uint BitsUpper;

    /// <summary>Bytes that do not fill a block yet.</summary>
    public fixed uint Rest[16];
    public uint RestBytes;
    public uint HashBytes;

    /// <summary>Goes on from a state that is reached after whole blocks of this many bytes.</summary>
    public Sha256Context(uint* state, long bytes)
    {
        for (int i = 0; i < Sha256Lanes.StateWords; i++) State[i] = state[i];
        Bits = (uint)(bytes << 3);
        BitsUpper = (uint)(bytes >> 29);
        HashBytes = ChunkId.Size;
    }
}
