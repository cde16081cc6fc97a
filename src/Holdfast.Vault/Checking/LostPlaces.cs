using Holdfast.Vault.Chunking;

namespace Holdfast.Vault.Checking;

/// <summary>Where a lost chunk of data stands in a file.</summary>
internal readonly record struct LostPlace(RestorePoint Point, byte[] Path, ByteRange Range);

/// <summary>Where lost chunks stand, a few places each: by them their content may be found elsewhere. For one thread at a time.</summary>
internal sealed class LostPlaces
{
    // The same content in many points or files: one of a few will do.
    private const int MostOfChunk = 8;
    private readonly Dictionary<int, List<LostPlace>> places = [];

    public void Add(int number, in LostPlace place)
    {
        if (!places.TryGetValue(number, out List<LostPlace>? known)) places.Add(number, known = []);
        if (known.Count < MostOfChunk) known.Add(place);
    }

    public IReadOnlyList<LostPlace> Of(int number) => places.GetValueOrDefault(number) ?? [];
}

/// <summary>What a check does beside checking, for a repair.</summary>
/// <param name="TreeChunk">Another copy of tree chunks, each verified; null where there is none.</param>
/// <param name="Places">Told where lost chunks stand.</param>
internal sealed record CheckSpares(Func<ChunkId, CancellationToken, Task<ReadOnlyMemory<byte>?>>? TreeChunk, LostPlaces Places);
