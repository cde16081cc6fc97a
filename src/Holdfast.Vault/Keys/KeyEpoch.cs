using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Chunking;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Keys;

/// <summary>The keys of one epoch, as far as a role has them. Layout and use: docs/formats/vault.md, "Keys".</summary>
internal sealed class KeyEpoch
{
    /// <summary>Bytes of each key.</summary>
    public const int KeyBytes = 32;

    public required uint Number { get; init; }

    /// <summary>Key <i>a</i>: chunk ids and cuts.</summary>
    public byte[]? Identity { get; init; }

    /// <summary>Key <i>b</i>: index, references, points, leases, pack footers.</summary>
    public byte[]? Index { get; init; }

    /// <summary>Key <i>c</i>, public half.</summary>
    public byte[]? TreesPublic { get; init; }

    /// <summary>Key <i>c</i>, private half.</summary>
    public byte[]? TreesPrivate { get; init; }

    /// <summary>Key <i>d</i>, public half.</summary>
    public byte[]? DataPublic { get; init; }

    /// <summary>Key <i>d</i>, private half.</summary>
    public byte[]? DataPrivate { get; init; }

    /// <summary>Draws new keys; all but <i>a</i> where one is given that goes on.</summary>
    public static KeyEpoch Create(uint number, IEntropy entropy, byte[]? identity = null)
    {
        byte[] treesPrivate = Draw(entropy), dataPrivate = Draw(entropy);
        return new KeyEpoch
        {
            Number = number,
            Identity = identity ?? Draw(entropy),
            Index = Draw(entropy),
            TreesPrivate = treesPrivate,
            TreesPublic = Libsodium.BoxPublicKey(treesPrivate),
            DataPrivate = dataPrivate,
            DataPublic = Libsodium.BoxPublicKey(dataPrivate),
        };
    }

    /// <summary>The keys of this epoch that a role has.</summary>
    public KeyEpoch For(KeyRole role)
    {
        bool adds = role is KeyRole.Admin or KeyRole.Add;
        bool readsData = role is KeyRole.Admin or KeyRole.Restore;
        bool readsTrees = readsData || role is KeyRole.List;
        return new KeyEpoch
        {
            Number = Number,
            Identity = adds || readsData ? Identity : null,
            Index = Index,
            TreesPublic = adds || readsTrees ? TreesPublic : null,
            TreesPrivate = readsTrees ? TreesPrivate : null,
            DataPublic = adds || readsData ? DataPublic : null,
            DataPrivate = readsData ? DataPrivate : null,
        };
    }

    /// <summary>Whether packs of a kind can be made.</summary>
    public bool CanSealPacks(ObjectKind packKind) => (packKind == ObjectKind.DataPack ? DataPublic : TreesPublic) is not null;

    /// <summary>Whether packs of a kind can be opened.</summary>
    public bool CanOpenPacks(ObjectKind packKind) => (packKind == ObjectKind.DataPack ? DataPrivate : TreesPrivate) is not null;

    public void Encode(ByteWriter writer)
    {
        ReadOnlySpan<byte[]?> keys = [Identity, Index, TreesPublic, TreesPrivate, DataPublic, DataPrivate];
        ushort mask = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] is not null) mask |= (ushort)(1 << i);
        }

        writer.U32(Number);
        writer.U16(mask);
        foreach (byte[]? key in keys) writer.Bytes(key);
    }

    public static KeyEpoch Decode(ref ByteReader reader)
    {
        uint number = reader.U32();
        ushort mask = reader.U16();
        byte[]?[] keys = new byte[6][];
        for (int i = 0; i < keys.Length; i++) keys[i] = (mask & (1 << i)) != 0 ? reader.Bytes(KeyBytes).ToArray() : null;
        return new KeyEpoch
        {
            Number = number,
            Identity = keys[0],
            Index = keys[1],
            TreesPublic = keys[2],
            TreesPrivate = keys[3],
            DataPublic = keys[4],
            DataPrivate = keys[5],
        };
    }

    public ChunkIdentity DataIdentity() => new(Derive(Need(Identity, "chunk ids"), "chunk id data"));

    public ChunkIdentity TreeIdentity() => new(Derive(Need(Identity, "chunk ids"), "chunk id tree"));

    public Chunker Chunker() => new(Derive(Need(Identity, "chunk ids"), "chunker"));

    /// <summary>Computes checks; the caller disposes it.</summary>
    public ChunkChecker Checker()
    {
        byte[] identity = Need(Identity, "chunk ids");
        return new ChunkChecker(Derive(identity, "chunk check mac"), new ChunkIdentity(Derive(identity, "chunk check")));
    }

    /// <summary>The key of one object sealed under <i>b</i>.</summary>
    public byte[] ObjectKey(ObjectKind kind, ReadOnlySpan<byte> salt)
    {
        Span<byte> info = stackalloc byte[8];
        "object "u8.CopyTo(info);
        info[7] = (byte)kind;
        byte[] key = new byte[Aead.KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Need(Index, "the index"), key, salt, info);
        return key;
    }

    /// <summary>The id of the key that objects of a kind are sealed under.</summary>
    public ulong KeyIdFor(ObjectKind kind) => kind switch
    {
        ObjectKind.DataPack => KeyId("data", Need(DataPublic, "data packs")),
        ObjectKind.TreePack => KeyId("trees", Need(TreesPublic, "tree packs")),
        _ => KeyId("index", Derive(Need(Index, "the index"), "key id")),
    };

    public byte[] PackPublicKey(ObjectKind kind) =>
        kind == ObjectKind.DataPack ? Need(DataPublic, "data packs") : Need(TreesPublic, "tree packs");

    public byte[] PackPrivateKey(ObjectKind kind) =>
        kind == ObjectKind.DataPack ? Need(DataPrivate, "reading data") : Need(TreesPrivate, "reading trees");

    public static ulong KeyId(string label, ReadOnlySpan<byte> key)
    {
        byte[] text = [.. "holdfast key id"u8, .. Encoding.ASCII.GetBytes(label), .. key];
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(text));
    }

    private static byte[] Derive(byte[] key, string info) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, [], Encoding.ASCII.GetBytes(info));

    private static byte[] Draw(IEntropy entropy)
    {
        byte[] key = new byte[KeyBytes];
        entropy.Fill(key);
        return key;
    }

    private static byte[] Need(byte[]? key, string what) =>
        key ?? throw new HoldfastException(
            ErrorKind.WrongKey, $"this key does not allow {what}", "use a key whose role does (holdfast key list)");
}
